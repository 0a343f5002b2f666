/*
 * task-tree: one function an event. A number that is none, a text that is missing, a step that nobody began: the
 * tree then knows less, and nothing else happens.
 */
#include "cli/task-tree.h"

#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "cli/budgets.h"
#include "cli/follow.h"
#include "cli/task-nodes.h"

typedef void (*FoldFn)(TaskTree *tree, const cJSON *event, const cJSON *data);

/* Cut where it is too long, between two characters */
static void keep(char *to, size_t size, const char *text) {
        size_t n = text ? strlen(text) : 0;

        if (n >= size)
                for (n = size - 1; n > 0 && ((unsigned char) text[n] & 0xc0) == 0x80;)
                        n--;
        memcpy(to, text ? text : "", n);
        to[n] = '\0';
}

#define KEEP(TO, TEXT) keep(TO, sizeof(TO), TEXT)

static uint64_t number(const cJSON *object, const char *name) {
        uint64_t value = 0;

        (void) json_number(object, name, &value);
        return value;
}

bool node_is_loop(const Node *node) {
        return strcmp(node->kind, "dountil") == 0 || strcmp(node->kind, "dowhile") == 0;
}

bool node_is_busy(const Node *node) {
        if (!node->is_instance)
                return node->state == NODE_RUNNING || node->state == NODE_WAITING;
        if (node->state != NODE_RUNNING && node->state != NODE_WAITING)
                return false;
        /* an instance has no events of its own where its agent sends none: then its steps tell */
        for (const Node *child = node->children; child; child = child->next)
                if (node_is_busy(child))
                        return true;
        return !node->children;
}

bool task_tree_has_ended(const TaskTree *tree) {
        return follow_is_final(tree->state);
}

/* Where an event belongs; NULL: to the task */
static Node *node_of(TaskTree *tree, const cJSON *event, const cJSON *data) {
        const char *path = json_text(data, "path");

        if (!path)
                path = json_text(event, "step");
        return path ? task_node_at(tree, path, number(event, "iteration")) : NULL;
}

/* ---- the task ------------------------------------------------------------------------------------ */

/* An item whose steps have all ended neither runs nor waits, though nobody told its own end */
static void set_running(Node *node, NodeState from, NodeState to) {
        for (Node *child = node->children; child; child = child->next) {
                if (child->state == from && node_is_busy(child))
                        child->state = to;
                set_running(child, from, to);
        }
}

static void stop_all(TaskTree *tree) {
        for (Node *step = tree->root.children; step; step = step->next)
                if (node_is_busy(step))
                        task_node_end(step, NODE_STOPPED, tree->last_usec);
}

static void fold_state(TaskTree *tree, const cJSON *event, const cJSON *data) {
        (void) event;
        KEEP(tree->state, json_text(data, "state"));
        KEEP(tree->cause, json_text(data, "cause"));
        KEEP(tree->summary, json_text(data, "summary"));
        if (strcmp(tree->state, "suspended") == 0) {
                set_running(&tree->root, NODE_RUNNING, NODE_WAITING);
                return;
        }
        tree->question[0] = '\0';
        tree->asks[0] = '\0';
        set_running(&tree->root, NODE_WAITING, NODE_RUNNING);
        if (task_tree_has_ended(tree))
                stop_all(tree);
}

static void fold_limit(TaskTree *tree, const cJSON *event, const cJSON *data) {
        const char *limit = json_text(data, "limit");

        (void) event;
        if (limit)
                (void) snprintf(tree->note, sizeof(tree->note), "limit reached: %s", limit);
        else
                KEEP(tree->note, json_text(data, "text"));
}

static void fold_notice(TaskTree *tree, const cJSON *event, const cJSON *data) {
        const char *text = json_text(data, "text"), *phase = json_text(data, "phase");
        const char *id = json_text(data, "id");
        Node *node = text ? NULL : node_of(tree, event, data);
        char *to = node ? node->doing : tree->note;

        _Static_assert(sizeof(node->doing) == sizeof(tree->note), "either takes it");
        if (phase &&
            strcmp(phase, "resume") == 0) /* its agent walks again and says what it begins */
                stop_all(tree);
        if (text)
                KEEP(tree->note, text);
        else if (phase)
                (void) snprintf(to, sizeof(tree->note), "%.100s%s%.100s", phase, id ? " " : "",
                                id ? id : "");
}

static void fold_ask(TaskTree *tree, const cJSON *event, const cJSON *data) {
        const char *text = json_text(data, "text"), *phase = json_text(data, "phase");
        const char *path = json_text(event, "step");
        Node *node = node_of(tree, event, data);
        bool asked = !phase || strcmp(phase, "asked") == 0;

        if (asked) {
                KEEP(tree->asks, path);
                KEEP(tree->about, json_text(data, "about"));
                KEEP(tree->question, text ? text : "an answer is needed");
        } else if (strcmp(tree->asks, path ? path : "") == 0) {
                tree->question[0] = '\0';
        }
        if (node && (asked || node->state == NODE_WAITING))
                node->state = asked ? NODE_WAITING : NODE_RUNNING;
}

/* ---- steps --------------------------------------------------------------------------------------- */

/* How many instances there may be: said with what is in one, of the innermost; else of the loop itself */
static void note_of(Node *node, uint64_t of) {
        Node *at = node;

        while (at && !at->is_instance)
                at = at->parent;
        at = at ? at->parent : node;
        if (at && of > 0)
                at->of = of;
}

/* Begun once more, after an undo or a new start of its agent: what was below belongs to the time before */
static void begin(TaskTree *tree, Node *node) {
        task_node_drop_children(tree, node);
        node->iteration = node->ended = node->failed = node->turns = node->tries = 0;
        node->has_instances = false;
        node->state = NODE_RUNNING;
        node->started_usec = tree->last_usec;
        node->ended_usec = 0;
        node->doing[0] = node->error[0] = node->verdict[0] = '\0';
}

static void fold_start(TaskTree *tree, const cJSON *event, const cJSON *data) {
        Node *node = node_of(tree, event, data);

        if (!node)
                return;
        begin(tree, node);
        tree->note[0] = '\0'; /* it was about what came before */
        KEEP(node->kind, json_text(data, "kind"));
        KEEP(node->role, json_text(data, "role"));
        note_of(node, number(data, "of"));
}

static NodeState end_state(const char *name) {
        static const char *const names[_NODE_STATE_MAX] = {
                [NODE_DONE] = "done",         [NODE_FAILED] = "failed",
                [NODE_SKIPPED] = "skipped",   [NODE_WAITING] = "suspended",
                [NODE_STOPPED] = "cancelled",
        };

        for (unsigned i = 0; name && i < _NODE_STATE_MAX; i++)
                if (names[i] && strcmp(names[i], name) == 0)
                        return (NodeState) i;
        return NODE_DONE;
}

static void fold_end(TaskTree *tree, const cJSON *event, const cJSON *data) {
        Node *node = node_of(tree, event, data);
        NodeState state = end_state(json_text(data, "state"));

        if (!node)
                return;
        if (!node->kind[0])
                KEEP(node->kind, json_text(data, "kind"));
        KEEP(node->error, json_text(data, "error"));
        note_of(node, number(data, "of"));
        task_node_end(node, state, tree->last_usec);
}

/* ---- what a step does ---------------------------------------------------------------------------- */

/* Egress tells of the calls that it made as well; the agent's own event is the one with a role */
static void fold_model(TaskTree *tree, const cJSON *event, const cJSON *data) {
        Node *node = json_text(data, "role") ? node_of(tree, event, data) : NULL;

        if (!node)
                return;
        node->turns++;
        KEEP(node->doing, json_text(data, "text"));
}

/* What a call is about: the one argument that says it */
static const char *subject(const cJSON *arguments) {
        static const char *const names[] = { "command", "path", "file_path", "filePath",
                                             "pattern" };

        for (size_t i = 0; i < ELEMENTS(names); i++)
                if (json_text(arguments, names[i]))
                        return json_text(arguments, names[i]);
        return "";
}

static void fold_call(TaskTree *tree, const cJSON *event, const cJSON *data) {
        const char *text = json_text(data, "arguments"), *tool = json_text(data, "tool");
        SCOPED(json_free) cJSON *arguments = NULL;
        Node *node = node_of(tree, event, data);
        char line[TREE_TEXT_MAX];

        if (!node)
                return;
        if (text && json_parse(text, strlen(text), 0, &arguments, NULL) < 0)
                arguments = NULL;
        (void) snprintf(line, sizeof(line), "%.40s %.190s", tool ? tool : "?", subject(arguments));
        KEEP(node->doing, line);
}

/* ---- verdicts ------------------------------------------------------------------------------------ */

static void fold_verify_start(TaskTree *tree, const cJSON *event, const cJSON *data) {
        Node *node = node_of(tree, event, data);

        if (node)
                (void) snprintf(node->doing, sizeof(node->doing),
                                "verify %llu: the tests run on base plus patch",
                                (unsigned long long) number(data, "n"));
}

static void keep_failing(TreeVerdict *verdict, const cJSON *names) {
        const cJSON *name;

        cJSON_ArrayForEach(name, names) {
                if (verdict->n_failing < TREE_FAILING_MAX)
                        KEEP(verdict->failing[verdict->n_failing],
                             cJSON_IsString(name) ? name->valuestring : "?");
                verdict->n_failing++;
        }
}

static void fold_verify_end(TaskTree *tree, const cJSON *event, const cJSON *data) {
        const cJSON *whole = json_get(data, "verdict"), *tests;
        Node *node = node_of(tree, event, data);

        if (!cJSON_IsObject(whole))
                whole = data;
        tests = json_get(whole, "tests");
        tree->verdict = (TreeVerdict){ .n = number(whole, "n"),
                                       .run = number(tests, "run"),
                                       .passed = number(tests, "passed"),
                                       .failed = number(tests, "failed") };
        KEEP(tree->verdict.verdict, json_text(whole, "verdict"));
        KEEP(tree->verdict.reason, json_text(whole, "reason"));
        keep_failing(&tree->verdict, json_get(whole, "failing"));
        tree->note[0] = '\0'; /* the phases of the verify are over */
        if (!node)
                return;
        node->doing[0] = '\0';
        KEEP(node->verdict, tree->verdict.verdict);
}

/* ---- all ----------------------------------------------------------------------------------------- */

static void fold_used(TaskTree *tree, const cJSON *used) {
        const cJSON *pair;

        if (!cJSON_IsObject(used))
                return;
        tree->n_budgets = 0;
        cJSON_ArrayForEach(pair, used) {
                TreeBudget *kept = &tree->budgets[tree->n_budgets];
                Budget budget;

                if (tree->n_budgets == TREE_BUDGETS_MAX || budget_read(pair, &budget) < 0)
                        continue;
                KEEP(kept->name, budget.name);
                KEEP(kept->currency, budget.currency);
                kept->used = budget.used;
                kept->most = budget.most;
                tree->n_budgets++;
        }
}

static const struct {
        const char *name;
        FoldFn fold;
} folds[] = {
        { "task.state", fold_state },      { "step.start", fold_start },
        { "step.end", fold_end },          { "model.call", fold_model },
        { "tool.call", fold_call },        { "verify.start", fold_verify_start },
        { "verify.end", fold_verify_end }, { "ask", fold_ask },
        { "limit", fold_limit },           { "notice", fold_notice },
};

void task_tree_fold(TaskTree *tree, const cJSON *event) {
        const char *name = json_text(event, "event");
        uint64_t usec = 0, seq = number(event, "seq");

        if (!name || seq == 0) /* "lagged" is news of the connection, not of the task */
                return;
        tree->seq = seq;
        if (units_parse_time(json_text(event, "time"), &usec) == 0)
                tree->last_usec = usec;
        if (tree->first_usec == 0)
                tree->first_usec = tree->last_usec;
        if (!tree->task[0])
                KEEP(tree->task, json_text(event, "task"));
        for (size_t i = 0; i < ELEMENTS(folds); i++)
                if (strcmp(folds[i].name, name) == 0)
                        folds[i].fold(tree, event, json_get(event, "data"));
        fold_used(tree, json_get(event, "used"));
}

void task_tree_deinit(TaskTree *tree) {
        task_node_drop_children(tree, &tree->root);
        *tree = (TaskTree){ 0 };
}
