"""How alembic runs: on the connection, and in the transaction, that the journal hands in."""

from alembic import context

# Without a transaction of alembic's own: all pending migrations succeed together or leave no trace.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
