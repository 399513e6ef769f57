"""The testing kit, asked for what it does not have."""

from immersiverse.auth.events import AuthEventDeserializer, Publisher, Subscriber, UserCreated, UserUpdated
from immersiverse.auth.events.testing import PublisherTest, SubscriberTest, sample, sample_event, samples

user: UserCreated = sample(UserCreated, username="alice")
publisher: Publisher = PublisherTest()
other: UserUpdated = sample(UserCreated)  # refused
sample(str)  # refused
sample("UserCreated")  # refused
sample(UserCreated).usernme  # refused
sample(UserCreated, seed="one")  # refused
sample_event(UserCreated, version="1")  # refused
samples("3")  # refused
samples(3, str)  # refused

with SubscriberTest(Subscriber({}, deserializer=AuthEventDeserializer())) as test:
    test.feed(sample_event(UserCreated)).handled
    test.feed(user)  # refused
    test.feed("text")  # refused
    test.feed(b"bytes").handeld  # refused

with PublisherTest() as tested:
    tested.fail_next(7)  # refused
    tested.published[0].user_created.usernme  # refused
