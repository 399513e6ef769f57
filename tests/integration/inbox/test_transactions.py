"""The SQL inbox on PostgreSQL when its transaction fails: a failure or an outage, never a success."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import String, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from immersiverse.auth.events import InboxUnavailable, SqlInbox
from immersiverse.auth.events.errors import BrokenTransaction, ConfigurationError
from inboxes.behaviour import DUPLICATE, FRESH, HandlerFailed, event
from inboxes.transactions import FORMS, inbox_consumer

ASYNCPG = ("asyncpg connection", "asyncpg session")
AUDIT = text("INSERT INTO audit (id) VALUES (:id)")
PROFILE = text("INSERT INTO profiles (id, name) VALUES (:id, :name)")
HOT = text("UPDATE profiles SET name = name WHERE id = :id")


class Base(DeclarativeBase):
    pass


class Profile(Base):
    __tablename__ = "profiles"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))


@pytest.fixture(autouse=True)
def engine(postgres):
    engine = create_engine(postgres.url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS audit, profiles"))
        connection.execute(text("CREATE TABLE audit (id TEXT)"))
        connection.execute(text("CREATE TABLE profiles (id TEXT PRIMARY KEY, name VARCHAR(20))"))
        connection.execute(text("INSERT INTO profiles VALUES ('taken', 'x'), ('1', 'x'), ('2', 'x')"))
    yield engine
    engine.dispose()


@pytest.fixture(params=(*FORMS, *ASYNCPG))
def consumer(request, postgres):
    form, url = form_and_url(request.param, postgres)
    with inbox_consumer(form, url, request.node.name[:200]) as made:
        yield made


def form_and_url(form, postgres):
    """The form and the URL of one that may name the driver."""
    if form in ASYNCPG:
        return form.replace("asyncpg", "async"), postgres.url.replace("+psycopg", "+asyncpg")
    return form, postgres.url


def audit(engine):
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT id FROM audit")).scalars())


def write(transaction):
    transaction.execute(AUDIT, {"id": "one"})


def swallow(transaction):
    write(transaction)
    with suppress(IntegrityError):
        transaction.execute(PROFILE, {"id": "taken", "name": "y"})


def swallow_a_failed_flush(transaction):
    write(transaction)
    transaction.add(Profile(id="taken", name="y"))
    with suppress(IntegrityError):
        transaction.flush()


def commit(transaction):
    write(transaction)
    transaction.commit()


def swallow_a_refused_commit(transaction):
    with suppress(BrokenTransaction):
        commit(transaction)


def roll_back(transaction):
    write(transaction)
    transaction.rollback()


def roll_back_and_go_on(transaction):
    roll_back(transaction)
    write(transaction)


def close(transaction):
    write(transaction)
    transaction.close()


def roll_back_in_sql(transaction):
    write(transaction)
    transaction.execute(text("ROLLBACK"))


@pytest.mark.guarantee("a handler swallows a database error", "PostgreSQL")
@pytest.mark.parametrize(
    "handler",
    [
        swallow, commit, swallow_a_refused_commit, roll_back, roll_back_and_go_on, close, roll_back_in_sql,
    ],
)  # fmt: skip
def test_a_handler_that_breaks_or_ends_its_transaction_fails_and_leaves_no_effect(consumer, engine, handler):
    first = event(version=1)
    with pytest.raises(BrokenTransaction):
        consumer.handle(first, handler)
    assert audit(engine) == []
    assert [consumer.handle(first, write), consumer.handle(first, write)] == [FRESH, DUPLICATE]
    assert audit(engine) == ["one"]


@pytest.mark.parametrize("consumer", ["session", "async session", "asyncpg session"], indirect=True)
def test_a_handler_that_swallows_a_failed_flush_fails_and_leaves_no_effect(consumer, engine):
    first = event()
    with pytest.raises(BrokenTransaction):
        consumer.handle(first, swallow_a_failed_flush)
    assert audit(engine) == []
    assert consumer.handle(first) is FRESH


def test_a_handler_survives_an_error_within_a_savepoint(consumer, engine):
    def survive(transaction):
        write(transaction)
        with suppress(IntegrityError), transaction.begin_nested():
            transaction.execute(PROFILE, {"id": "taken", "name": "y"})

    first = event()
    assert [consumer.handle(first, survive), consumer.handle(first)] == [FRESH, DUPLICATE]
    assert audit(engine) == ["one"]


@pytest.mark.guarantee("the database refuses what a handler wrote", "PostgreSQL")
@pytest.mark.parametrize("name", ["x" * 60, "a\x00b"])
def test_data_that_a_column_refuses_is_the_handlers_failure_at_the_flush_too(consumer, engine, name):
    def merge(transaction):
        write(transaction)
        if isinstance(transaction, Session):
            transaction.merge(Profile(id="3", name=name))
        else:
            transaction.execute(PROFILE, {"id": "3", "name": name})

    first = event()
    with pytest.raises(DBAPIError):
        consumer.handle(first, merge)
    assert audit(engine) == []
    assert consumer.handle(first) is FRESH


def test_a_deferred_constraint_is_the_handlers_failure(consumer, engine):
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit ADD UNIQUE (id) DEFERRABLE INITIALLY DEFERRED"))

    def twice(transaction):
        write(transaction)
        write(transaction)

    first = event()
    with pytest.raises(IntegrityError):
        consumer.handle(first, twice)
    assert consumer.handle(first) is FRESH


def test_a_deferred_trigger_that_refuses_is_the_handlers_failure(consumer, engine):
    with engine.begin() as connection:
        connection.execute(
            text("""CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                    AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$""")
        )
        connection.execute(
            text("""CREATE CONSTRAINT TRIGGER refusing AFTER INSERT ON audit
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()""")
        )
    with pytest.raises(DBAPIError, match="not this one"):
        consumer.handle(event(), write)


@pytest.mark.guarantee("transactions get in each other's way", "PostgreSQL")
@pytest.mark.parametrize("code", ["40001", "40P01", "53200", "55P03", "57014"])
@pytest.mark.parametrize(
    "raised",
    ["as it is", "wrapped", "wrapped from None", "swallowed", "swallowed, then another statement"],
)
def test_an_error_that_says_nothing_about_the_event_is_an_outage_however_it_is_raised(
    consumer, engine, code, raised
):
    def handler(transaction):
        write(transaction)
        try:
            transaction.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '{code}'; END $$"))
        except DBAPIError as error:
            if raised == "as it is":
                raise
            if raised == "wrapped":
                raise HandlerFailed from error
            if raised == "wrapped from None":
                raise HandlerFailed from None
        if raised != "swallowed":
            write(transaction)

    first = event()
    with pytest.raises(InboxUnavailable, match="busy"):
        consumer.handle(first, handler)
    assert audit(engine) == []
    assert consumer.handle(first) is FRESH


def test_a_handlers_error_after_an_outage_within_a_savepoint_is_its_own(consumer):
    def handler(transaction):
        with suppress(DBAPIError), transaction.begin_nested():
            transaction.execute(text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40P01'; END $$"))
        raise HandlerFailed

    with pytest.raises(HandlerFailed):
        consumer.handle(event(), handler)


def test_an_outage_within_a_savepoint_that_the_handler_raises_is_an_outage(consumer):
    def handler(transaction):
        with transaction.begin_nested():
            transaction.execute(text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(InboxUnavailable):
        consumer.handle(event(), handler)


def test_a_connection_lost_in_a_handler_is_an_outage(consumer, engine):
    def handler(transaction):
        process = transaction.execute(text("SELECT pg_backend_pid()")).scalar()
        with engine.connect() as beside:
            beside.execute(text("SELECT pg_terminate_backend(:process, 10000)"), {"process": process})
        with suppress(DBAPIError):
            write(transaction)

    first = event()
    with pytest.raises(InboxUnavailable):
        consumer.handle(first, handler)
    assert consumer.handle(first, write) is FRESH
    assert audit(engine) == ["one"]


def test_a_connection_lost_before_the_commit_is_an_outage(consumer, engine):
    def handler(transaction):
        process = transaction.execute(text("SELECT pg_backend_pid()")).scalar()
        with engine.connect() as beside:
            beside.execute(text("SELECT pg_terminate_backend(:process, 10000)"), {"process": process})

    with pytest.raises(InboxUnavailable):
        consumer.handle(event(), handler)


def test_another_database_that_does_not_answer_is_the_handlers_failure(consumer):
    def handler(_transaction):
        away = create_engine("postgresql+psycopg://postgres@127.0.0.1:1/postgres")
        away.connect()

    with pytest.raises(DBAPIError):
        consumer.handle(event(), handler)


def test_a_deadlock_of_two_handlers_is_an_outage_for_one_of_them(postgres):
    both_hold_one = threading.Barrier(2)

    def consume(first, second):
        def handler(transaction):
            transaction.execute(HOT, {"id": first})
            with suppress(threading.BrokenBarrierError):
                both_hold_one.wait(timeout=20)
            transaction.execute(HOT, {"id": second})

        with inbox_consumer("session", postgres.url, f"deadlock {first}") as made:
            try:
                return made.handle(event(), handler)
            except InboxUnavailable as error:
                return str(error)

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(consume, ("1", "2"), ("2", "1")))
    assert FRESH in ends
    assert any("deadlock detected" in end for end in ends if isinstance(end, str))


@pytest.mark.parametrize("form", [*FORMS, *ASYNCPG])
def test_a_serialization_failure_is_an_outage(engine, postgres, form):
    form, url = form_and_url(form, postgres)
    with inbox_consumer(form, url, "serializable", isolation_level="SERIALIZABLE") as made:

        def handler(transaction):
            transaction.execute(text("SELECT count(*) FROM audit"))
            with engine.begin() as beside:
                beside.execute(HOT, {"id": "1"})
            transaction.execute(HOT, {"id": "1"})

        with pytest.raises(InboxUnavailable, match="could not serialize"):
            made.handle(event(), handler)


@pytest.mark.parametrize("form", ["connection", "async connection", "asyncpg connection"])
def test_an_engine_in_autocommit_is_refused(engine, postgres, form):
    form, url = form_and_url(form, postgres)
    with (
        inbox_consumer(form, url, "autocommit", isolation_level="AUTOCOMMIT") as made,
        pytest.raises(ConfigurationError, match="AUTOCOMMIT"),
    ):
        made.handle(event(), write)
    assert audit(engine) == []


def test_a_missing_right_on_the_inbox_tables_is_an_outage(engine, postgres):
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS reader"))
        connection.execute(text("CREATE ROLE reader LOGIN"))
    SqlInbox(engine, "reader").create_tables()
    poor = create_engine(postgres.url.replace("postgres@", "reader@"))
    with (
        pytest.raises(InboxUnavailable, match="permission denied"),
        SqlInbox(poor, "reader").admit(event(), "topic", b"key"),
    ):
        pass
    poor.dispose()
