"""Every table of the store, in one place. A table that is missing is made when the store is opened.

Times are seconds since the epoch. A column is never renamed or dropped: an older Tidegate may still write it.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Index, Integer, MetaData, String, Table, Text

METADATA = MetaData()

# Who did what, by which way: one row for whatever a person changed.
audit = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("who", String(200), nullable=False),
    Column("via", String(40), nullable=False),
    Column("what", String(80), nullable=False),
    Column("run", String(64), nullable=False, default=""),
    Column("detail", JSON, nullable=False, default=dict),
)
Index("audit_run", audit.c.run)

# Who asked for a run, written by a way that knows it; a run without a row was asked for by an unproven person.
asked = Table(
    "asked",
    METADATA,
    Column("run", String(64), primary_key=True),
    Column("who", String(200), nullable=False),
    Column("via", String(40), nullable=False),
    Column("at", Double, nullable=False),
)

# A run at its gates. `key` names what is released, so that the same release started again finds its votes;
# `bound` is what its approvals bind; `ended` when it was over.
gate_requests = Table(
    "gate_requests",
    METADATA,
    Column("run", String(64), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("what", Text, nullable=False),
    Column("environment", String(40), nullable=False),
    Column("requester", String(200), nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("at", Double, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("bound", JSON, nullable=False),
    Column("waiting", Text, nullable=False, default=""),
    Column("passed", Double),
    Column("ended", Double),
)
Index("gate_requests_key", gate_requests.c.key)

gate_votes = Table(
    "gate_votes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("run", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("person", String(80), nullable=False),
    Column("via", String(40), nullable=False),
    Column("decision", String(10), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("at", Double, nullable=False),
    Column("bound", JSON, nullable=False),
)
Index("gate_votes_key", gate_votes.c.key)

# One-time codes that were used, by their time step: a second use breaks the primary key.
used_codes = Table(
    "used_codes",
    METADATA,
    Column("person", String(80), primary_key=True),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
)

# A finished release: written once a run and attempt, never changed and never removed, so that no counter goes back.
finished_releases = Table(
    "finished_releases",
    METADATA,
    Column("run", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("pipeline", String(40), nullable=False),
    Column("environment", String(40), nullable=False),
    Column("strategy", String(40), nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("asked", Double, nullable=False),
    Column("ended", Double, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("recovery", Double, nullable=False),
    Column("prevented", Boolean, nullable=False),
    Column("committed", JSON, nullable=False),
)
Index("finished_releases_ended", finished_releases.c.environment, finished_releases.c.ended)

# What a region of it came to. The release's labels are repeated, so that counting needs no join.
finished_regions = Table(
    "finished_regions",
    METADATA,
    Column("run", String(64), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("region", String(80), primary_key=True),
    Column("environment", String(40), nullable=False),
    Column("strategy", String(40), nullable=False),
    Column("pipeline", String(40), nullable=False),
    Column("result", String(10), nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("ended", Double, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("recovery", Double, nullable=False),
)

# Until when the records of a source were all read.
caught_up = Table(
    "caught_up",
    METADATA,
    Column("source", String(40), primary_key=True),
    Column("ended", Double, nullable=False),
)

# Who is logged in at the operator service. `key` is a hash of what the browser holds; `ended` when it was revoked.
sessions = Table(
    "sessions",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("person", String(80), nullable=False),
    Column("via", String(20), nullable=False),
    Column("token", String(64), nullable=False),
    Column("began", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("ended", Double),
)
Index("sessions_person", sessions.c.person)

login_failures = Table(
    "login_failures",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("name", String(80), nullable=False),
    Column("address", String(80), nullable=False),
)
Index("login_failures_at", login_failures.c.at)

# What the processes of the operator service share and nobody else knows, such as the key that signs its cookies.
kept_keys = Table(
    "kept_keys",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

# A webhook delivery that asks for a run. Rows stay: what was delivered once is never believed again.
deliveries = Table(
    "deliveries",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String(80), nullable=False, unique=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("event", String(40), nullable=False),
    Column("pipeline", String(40), nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("line", String(300), nullable=False, default=""),
    Column("at", Double, nullable=False),
    Column("state", String(20), nullable=False),
    Column("run", String(64), nullable=False, default=""),
    Column("note", Text, nullable=False, default=""),
)
Index("deliveries_line", deliveries.c.line)
Index("deliveries_state", deliveries.c.state)
