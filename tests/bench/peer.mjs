/*
 * peer.mjs: plan -> dountil(code -> verify) in the reference framework, for tests/bench/peer.
 *
 *   node peer.mjs PACKAGES URL TURNS [DATABASE]
 *
 * PACKAGES: a directory with node_modules. The model is an endpoint at URL; verify runs /bin/true. With DATABASE the
 * framework keeps its state there. Prints one line of JSON.
 */
import { createRequire } from "node:module";
import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";

const began = performance.now();
const [packages, url, turns, database] = process.argv.slice(2);
const require = createRequire(`${packages}/x.js`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Mastra } = await load("@mastra/core");
const { Agent } = await load("@mastra/core/agent");
const { createStep, createWorkflow } = await load("@mastra/core/workflows");
const { z } = await load("zod");
const model = { id: "scripted/scripted", url, apiKey: "none" };
const agent = (id) => new Agent({ id, name: id, instructions: `You are the ${id}.`, model });
const architect = agent("architect");
const developer = agent("developer");
const any = z.any();
let started = 0;

const plan = createStep({ id: "plan", inputSchema: any, outputSchema: any,
        execute: async () => ({ plan: (await architect.generate("go")).text }) });
const code = createStep({ id: "code", inputSchema: any, outputSchema: any, execute: async () => {
        started ||= performance.now();
        return { text: (await developer.generate("work")).text };
} });
const verify = createStep({ id: "verify", inputSchema: any, outputSchema: any,
        execute: () => new Promise((resolve, reject) => {
                spawn("/bin/true").on("error", reject).on("exit", (exit) => resolve({ ok: exit === 0 }));
        }) });
const turn = createWorkflow({ id: "turn", inputSchema: any, outputSchema: any }).then(code).then(verify).commit();
const flow = createWorkflow({ id: "flow", inputSchema: any, outputSchema: any }).then(plan)
        .dountil(turn, async ({ iterationCount }) => iterationCount >= Number(turns)).commit();
let storage;
if (database) {
        const { LibSQLStore } = await load("@mastra/libsql");
        storage = new LibSQLStore({ id: "store", url: `file:${database}` });
}
const mastra = new Mastra({ workflows: { flow }, agents: { architect, developer }, storage, logger: false });
const run = await mastra.getWorkflow("flow").createRun();
const ready = performance.now();
const result = await run.start({ inputData: { request: "go" } });
const ended = performance.now();
console.log(JSON.stringify({ status: result.status, start_ms: ready - began,
        turn_ms: (ended - started) / Number(turns), rss: process.memoryUsage().rss }));
process.exit(result.status === "success" ? 0 : 1);
