"""Events and publishers with names and types that do not exist."""

from immersiverse.auth.events import (
    AsyncPublisher,
    AuthEventSerializer,
    Publisher,
    SchemaRegistry,
    UserCreated,
    new_event,
)

user = UserCreated(user_id="u-1", username="alice")
event = new_event(user, source="/services/auth")
UserCreated(usr_id="u-1")  # refused
UserCreated(user_id=1)  # refused
UserCreated(created_at="2025-06-02")  # refused
new_event(user)  # refused
new_event("user", source="/services/auth")  # refused
event.user_created.usernme  # refused
serializer = AuthEventSerializer(SchemaRegistry("http://localhost:8081"), format="xml")  # refused
with Publisher({}) as without_serializer:  # refused
    without_serializer.publish(event)
with Publisher({}, serializer=serializer) as publisher:
    publisher.publish(user)  # refused
    publisher.publish(event).ofset  # refused


async def publish(publisher: AsyncPublisher) -> None:
    await publisher.publish(event)
    publisher.publish(event)  # refused
