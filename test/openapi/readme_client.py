"""The README's example, with a client that openapi-python-client has generated: submit a task, wait for it, read it."""

import json
import sys

from muster_client import AuthenticatedClient
from muster_client.api.tasks import get_task, submit_task
from muster_client.models import Task, TaskRequest

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token)
submitted = submit_task.sync(client=client, body=TaskRequest(kind="sha256", payload={"file": "a.txt"}))
assert isinstance(submitted, Task), submitted
task = submitted
while task.ended_at is None:
    answered = get_task.sync(task.id, client=client, wait=30)
    assert isinstance(answered, Task), answered
    task = answered
print(json.dumps({"state": task.state, "attempts": len(task.attempts), "result": task.result}))
