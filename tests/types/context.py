"""What a context does not have, or does not let be changed."""

from sqlite3 import Connection

from immersiverse.auth.events import AuthEvent, AuthEventDeserializer, Context, LoginFailed, Subscriber

subscriber = Subscriber({}, deserializer=AuthEventDeserializer())


@subscriber.on(LoginFailed)
def count(event: AuthEvent, login: LoginFailed, context: Context[Connection]) -> None:
    context.transaction.execute("INSERT INTO failures VALUES (?)", (login.user_id,))
    context.transaction.exceute("INSERT INTO failures VALUES (?)", (login.user_id,))  # refused
    context.offset = 3  # refused
    context.topik  # refused
    context.key.decode()  # refused
    context.headers["ce_id"]  # refused
