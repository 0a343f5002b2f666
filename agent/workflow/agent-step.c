/*
 * agent-step: the turn loop.
 *
 * Every way out has a name: the output fits (done), max_turns, AGENT_WRONG_CALLS_MAX wrong calls in a
 * row, AGENT_OUTPUT_TRIES_MAX misfits, the provider's own cause, a spent budget, a supervisor that is
 * gone. The libjq compile of the whole workflow happens between the sending of a request and the wait
 * for its answer, where its 14 ms cost nothing.
 */
#include "agent/workflow/agent-step.h"

#include <stdio.h>
#include <string.h>

#include "agent/model/recording.h"
#include "agent/workflow/answer.h"
#include "agent/workflow/ask-step.h"
#include "agent/workflow/claims.h"
#include "agent/workflow/kinds.h"
#include "agent/workflow/loader.h"
#include "agent/workflow/prompt.h"
#include "base/units.h"

/* One agent step while it runs. */
typedef struct Turns {
        Engine *engine;      /* borrowed */
        const Step *step;    /* borrowed */
        const cJSON *schema; /* borrowed; of the output, NULL: plain text */
        Thread *thread;      /* owned by agent_step_run() */
        unsigned wrong;      /* wrong tool calls in a row */
        unsigned misfits;    /* outputs that did not fit */
        unsigned calls;      /* model calls so far */
        unsigned asked;      /* questions to people so far */
        unsigned left;       /* calls of this turn behind the one that runs */
        Guards guards;
} Turns;

int agent_step_load(Loader *loader, const cJSON *json, const char *path, Step *step, Error *err) {
        const char *role = json_text(json, "agent"), *prompt = json_text(json, "prompt");
        char inner[WORKFLOW_PATH_MAX];
        uint64_t turns;
        int r;

        if (!role)
                return workflow_fault(err, path, "agent", "the name of a role is needed");
        step->role = roles_find(loader->roles, role);
        if (!step->role)
                return workflow_fault(err, path, "agent", "there is no role \"%.64s\"", role);
        if (!prompt)
                return workflow_fault(err, path, "prompt", "a prompt is needed, a string");
        step->max_turns = step->role->max_turns;
        r = json_number(json, "max_turns", &turns);
        if (r == -EINVAL || (r == 0 && (turns < 1 || turns > ROLE_TURNS_MAX)))
                return workflow_fault(err, path, "max_turns", "a number from 1 to %d is needed",
                                      ROLE_TURNS_MAX);
        if (r == 0)
                step->max_turns = (unsigned) turns;
        (void) snprintf(inner, sizeof(inner), "%s/prompt", path);
        return template_parse(prompt, loader->workflow->expressions, inner, &step->prompt, err);
}

static int no_memory(Turns *turns, Error *err) {
        return engine_no_memory(turns->engine, err);
}

static int begin_thread(Turns *turns, Error *err) {
        autofree char *system = NULL, *prompt = NULL;
        Session *session = turns->engine->session;
        int r;

        r = prompt_system(turns->step->role, turns->schema, session->info, &system);
        if (r < 0)
                return no_memory(turns, err);
        r = engine_fill(turns->engine, turns->step->prompt, &prompt, err);
        if (r < 0)
                return r;
        if (thread_add_text(turns->thread, MESSAGE_SYSTEM, system, true) < 0 ||
            thread_add_text(turns->thread, MESSAGE_USER, prompt, true) < 0)
                return no_memory(turns, err);
        return 0;
}

static int send_model_event(Turns *turns, const ModelReply *reply, unsigned turn, uint64_t began) {
        cJSON *data = cJSON_CreateObject();

        (void) json_add_text(data, "role", turns->step->role->name);
        (void) json_add_number(data, "turn", turn);
        (void) json_add_number(data, "tokens_in", reply->tokens_in);
        (void) json_add_number(data, "tokens_out", reply->tokens_out);
        (void) json_add_number(data, "attempts", reply->attempts);
        (void) json_add_number(data, "tool_calls", reply->n_calls);
        (void) json_add_number(data, "wall_usec", units_monotonic() - began);
        session_text(data, "text", reply->text);
        return engine_event(turns->engine, "model.call", data);
}

/* The number of this call among those of its role in the run. */
static unsigned next_turn(Session *session, const Role *role) {
        for (unsigned i = 0; i < session->roles.n; i++)
                if (session->roles.items[i] == role)
                        return ++session->calls[i];
        return 0;
}

static int ask_model(Turns *turns, ModelReply *reply, Error *err) {
        Session *session = turns->engine->session;
        const Role *role = turns->step->role;
        ModelRequest request = { .role = role->name,
                                 .turn = next_turn(session, role),
                                 .thread = turns->thread,
                                 .tools = toolbox_describe(role->tools) };
        uint64_t began = units_monotonic();
        ModelCall call = MODEL_CALL_EMPTY;
        Error later = ERROR_EMPTY;
        int r, compiled;

        turns->calls++;
        (void) thread_trim(turns->thread, role->tokens);
        r = session->provider->kind->start(session->provider, &request, &call, err);
        if (r < 0)
                return engine_fail(turns->engine, call.cause, r);
        compiled = expressions_compile(turns->engine->workflow->expressions, &later);
        r = session->provider->kind->finish(session->provider, &call, reply, err);
        if (r < 0)
                return engine_fail(turns->engine, call.cause, r);
        if (recording_send(session, &request, reply) < 0)
                return engine_fail(turns->engine, CAUSE_SUPERVISOR_LOST,
                                   error_say(err, -ECONNRESET, "the supervisor is gone"));
        if (compiled < 0) {
                (void) error_say(err, compiled, "%s", later.text);
                return engine_fail(turns->engine, CAUSE_EXPRESSION, compiled);
        }
        return send_model_event(turns, reply, request.turn, began);
}

static int send_call_event(Turns *turns, const ToolCall *call) {
        cJSON *data = cJSON_CreateObject();

        (void) json_add_text(data, "role", turns->step->role->name);
        session_text(data, "tool", call->name);
        session_text(data, "arguments", call->arguments);
        return engine_event(turns->engine, "tool.call", data);
}

static int send_result_event(Turns *turns, const ToolCall *call, const ToolRun *run,
                             uint64_t began) {
        cJSON *data = cJSON_CreateObject();

        session_text(data, "tool", call->name);
        (void) json_add_bool(data, "ok", !run->failed && !run->wrong);
        (void) json_add_number(data, "wall_usec", units_monotonic() - began);
        session_text(data, "text", run->result.data ? run->result.data : "");
        return engine_event(turns->engine, "tool.result", data);
}

/* A guard that is at its end ends the run, whatever the model says to it. */
static int heed(Turns *turns, const GuardHit *hit, const char *last, Error *err) {
        char reason[256];

        if (hit->word != GUARD_END)
                return 0;
        turns->engine->session->guard_hits[hit->guard] = *hit;
        guards_reason(hit, reason, sizeof(reason));
        (void) error_say(err, -ECANCELED, "step %s: %s: %s%s%.200s", turns->engine->path,
                         turns->step->role->name, reason, *last ? "; the last: " : "", last);
        return engine_fail(turns->engine, guard_cause(hit->guard), -ECANCELED);
}

/* Behind the result that the model reads next. */
static int tell(ToolRun *run, const GuardHit *hit) {
        autofree char *notice = hit->word == GUARD_TELL ? guards_notice(hit) : NULL;
        int r = notice ? buf_append(&run->result, notice, strlen(notice)) : 0;

        return r == -ENOBUFS ? 0 : r;
}

/* What a finished call means for the step. */
static int judge_call(Turns *turns, const ToolRun *run, Error *err) {
        if (run->limit) {
                (void) error_say(err, -ECANCELED, "%s", run->result.data);
                return engine_fail(turns->engine, CAUSE_LIMIT, -ECANCELED);
        }
        turns->wrong = run->wrong ? turns->wrong + 1 : 0;
        if (turns->wrong < AGENT_WRONG_CALLS_MAX)
                return 0;
        (void) error_say(err, -EPROTO, "%u wrong tool calls in a row; the last: %.300s",
                         turns->wrong, run->result.data);
        return engine_fail(turns->engine, CAUSE_BAD_CALLS, -EPROTO);
}

static int ask_people(void *asker, cJSON *question_consume, cJSON **ret_answer, Error *err) {
        Turns *turns = asker;

        return ask_by_model(turns->engine, question_consume, ++turns->asked, ret_answer, err);
}

enum { HIT_CALL, HIT_TURN, HITS };

/* What the guards say of it. The model reads it behind the result. */
static int guard_call(Turns *turns, const ToolCall *call, ToolRun *run, GuardHit *hits) {
        Guards *guards = &turns->guards;

        if (strcmp(call->name, "verify") == 0 && !run->wrong && !run->limit)
                claims_forget(turns->engine->session);
        if (guards_call(guards, call, &hits[HIT_CALL]) < 0)
                return -ENOMEM;
        guards_made(guards, call, !run->wrong && !run->failed);
        if (turns->left == 0)
                hits[HIT_TURN] = guards_turn(guards);
        for (unsigned i = 0; i < HITS; i++)
                if (tell(run, &hits[i]) < 0)
                        return -ENOMEM;
        return 0;
}

/* The call, its result for the model, and the event of it. */
static int make_call(Turns *turns, const ToolCall *call, ToolRun *run, GuardHit *hits, Error *err) {
        uint64_t began = units_monotonic();
        int r;

        r = toolbox_call(turns->step->role->tools, call, run, err);
        if (r < 0)
                return engine_fail(turns->engine,
                                   r == -ENOMEM ? CAUSE_INTERNAL : engine_wait_cause(r), r);
        if (guard_call(turns, call, run, hits) < 0)
                return no_memory(turns, err);
        r = send_result_event(turns, call, run, began);
        if (r >= 0 && thread_add_result(turns->thread, call->id,
                                        run->result.data ? run->result.data : "") < 0)
                r = no_memory(turns, err);
        return r;
}

static int run_call(Turns *turns, const ToolCall *call, Error *err) {
        ToolRun run = { .link = turns->engine->session->link,
                        .fork = turns->engine->fork,
                        .path = turns->engine->path,
                        .ask = ask_people,
                        .asker = turns,
                        .output = turns->step->role->output_rules };
        GuardHit hits[HITS] = { 0 };
        int r;

        r = send_call_event(turns, call);
        if (r >= 0)
                r = make_call(turns, call, &run, hits, err);
        if (r >= 0)
                r = judge_call(turns, &run, err);
        for (unsigned i = 0; i < HITS && r >= 0; i++)
                r = heed(turns, &hits[i], call->name, err);
        buf_deinit(&run.result);
        return r;
}

static int run_calls(Turns *turns, const ModelReply *reply, Error *err) {
        int r = 0;

        for (unsigned i = 0; i < reply->n_calls && r >= 0; i++) {
                turns->left = reply->n_calls - i - 1;
                r = run_call(turns, &reply->calls[i], err);
        }
        return r;
}

/* The step says that it is done. Only of who changes files can that be verified. */
static int count_claim(Turns *turns, Error *err) {
        GuardHit hit;
        int n;

        if (!turns->step->role->may_edit)
                return 0;
        n = claims_add(turns->engine);
        if (n < 0)
                return no_memory(turns, err);
        hit = guards_count(&turns->step->role->guards, GUARD_CLAIMS, (unsigned) n);
        return heed(turns, &hit, "", err);
}

/* The last message. Leaves *ret_output NULL where the model is asked again. */
static int take_output(Turns *turns, const ModelReply *reply, cJSON **ret_output, Error *err) {
        char fault[ERROR_TEXT_MAX];
        autofree char *feedback = NULL;
        int r;

        r = answer_read(reply->text, turns->schema, ret_output, fault);
        if (r < 0)
                return no_memory(turns, err);
        if (r == 0)
                return count_claim(turns, err);
        if (++turns->misfits == AGENT_OUTPUT_TRIES_MAX) {
                (void) error_say(err, -EINVAL,
                                 "step %s: its output did not fit %u times; the last: %s",
                                 turns->engine->path, turns->misfits, fault);
                return engine_fail(turns->engine, CAUSE_OUTPUT, -EINVAL);
        }
        feedback = prompt_misfit(fault);
        if (!feedback || thread_add_text(turns->thread, MESSAGE_USER, feedback, false) < 0)
                return no_memory(turns, err);
        return 0;
}

static int one_turn(Turns *turns, cJSON **ret_output, Error *err) {
        SCOPED(model_reply_deinit) ModelReply reply = { 0 };
        int r;

        r = ask_model(turns, &reply, err);
        if (r < 0)
                return r;
        if (thread_add_reply(turns->thread, reply.text, reply.calls, reply.n_calls) < 0)
                return no_memory(turns, err);
        if (reply.n_calls > 0)
                return run_calls(turns, &reply, err);
        return take_output(turns, &reply, ret_output, err);
}

static int take_turns(Turns *turns, cJSON **ret_output, Error *err) {
        int r;

        r = begin_thread(turns, err);
        for (unsigned i = 0; r >= 0 && i < turns->step->max_turns; i++) {
                r = one_turn(turns, ret_output, err);
                if (r >= 0 && *ret_output)
                        return 0;
        }
        if (r < 0)
                return r;
        (void) error_say(err, -ECANCELED, "step %s: %s used all its %u model calls (max_turns)",
                         turns->engine->path, turns->step->role->name, turns->step->max_turns);
        return engine_fail(turns->engine, CAUSE_MAX_TURNS, -ECANCELED);
}

/* What a resumed run counts on from: a step that it runs again makes its calls again. */
static void count_calls(const Turns *turns) {
        Session *session = turns->engine->session;

        for (unsigned i = 0; i < session->roles.n; i++)
                if (session->roles.items[i] == turns->step->role)
                        session->calls_committed[i] += turns->calls;
        turns->engine->run->memory_changed = true;
}

int agent_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        SCOPED(thread_free) Thread *thread = NULL;
        Turns turns = { .engine = engine,
                        .step = step,
                        .schema = step->output ? step->output : step->role->output };

        int r;

        if (thread_new(&thread) < 0)
                return no_memory(&turns, err);
        turns.thread = thread;
        guards_init(&turns.guards, &step->role->guards, step->role->may_edit);
        r = take_turns(&turns, ret_output, err);
        guards_deinit(&turns.guards);
        if (r >= 0)
                count_calls(&turns);
        return r;
}
