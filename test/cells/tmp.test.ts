import { it } from "vitest";
import { TaskHistory } from "./task-history.ts";
it("tmp", async () => {
  const h = new TaskHistory(-309763029);
  await h.begin();
  const acts: any = [
    { type: "join", peer: 1 },
    { type: "submit", key: 0, task: 0 },
    { type: "accept", peer: 0 },
    { type: "accept", peer: 0 },
    { type: "accept", peer: 0 },
    { type: "wait", seconds: 1 },
    { type: "wait", seconds: 1 },
  ];
  for (const a of acts) await h.act(a);
  await h.end();
  const m = h.mesh;
  for (const c of m.cells) {
    console.log(
      c.number,
      JSON.stringify(c.rows("select id,state,not_before,last_fence,requirements from tasks")),
      JSON.stringify(c.rows("select * from task_forwards")),
      JSON.stringify(c.rows("select * from task_arrivals")),
      JSON.stringify(c.rows("select id,state,slots,held,kinds from peers")),
      JSON.stringify(c.rows("select cell,seq from cell_messages")),
      JSON.stringify(c.rows("select * from settings where key='topology'")),
    );
    console.log(
      JSON.stringify(c.rows("select fence,peer_id,state,started_at,ended_at,error from attempts")),
    );
  }
  console.log(m.now, JSON.stringify([...m.transport.calls]));
});
