"""The trainer: a child process that reads a job, trains or evaluates, and answers with JSON lines. See ../README.md."""
