/* task-tree, task-view: events folded into a tree, the tree as text at given widths */
#include "cli/task-tree.h"

#include <stdlib.h>

#include "base/units.h"
#include "cli/cells.h"
#include "cli/task-view.h"
#include "tests/tap.h"

static TaskTree tree;
static unsigned seq;

/* One event at @sec seconds after ten o'clock */
static void event(unsigned sec, const char *name, const char *step, unsigned iteration,
                  const char *data) {
        char text[4096], time[UNITS_TEXT_MAX];
        cJSON *json = NULL;

        units_format_time((uint64_t) (1767607200 + sec) * 1000000, time);
        snprintf(text, sizeof(text),
                 "{\"seq\":%u,\"time\":\"%s\",\"task\":\"t-7f3kq2m4ab\",\"event\":\"%s\","
                 "\"step\":\"%s\",\"iteration\":%u,\"data\":%s}",
                 ++seq, time, name, step, iteration, data);
        if (json_parse(text, strlen(text), 0, &json, NULL) < 0)
                tap_result(false, __FILE__, __LINE__, "no JSON: %s", text);
        task_tree_fold(&tree, json);
        (void) json_free(json);
}

static void start(unsigned sec, const char *step, const char *kind) {
        char data[256];

        snprintf(data, sizeof(data), "{\"kind\":\"%s\"}", kind);
        event(sec, "step.start", step, 0, data);
}

static void end(unsigned sec, const char *step, const char *state) {
        char data[256];

        snprintf(data, sizeof(data), "{\"state\":\"%s\"}", state);
        event(sec, "step.end", step, 0, data);
}

static void reset(void) {
        task_tree_deinit(&tree);
        seq = 0;
}

static int state_of(const char *path) {
        const Node *node = task_tree_find(&tree, path);

        return node ? (int) node->state : -1;
}

/* ---- folding ------------------------------------------------------------------------------------- */

static void test_steps(void) {
        reset();
        event(0, "task.state", "", 0, "{\"state\":\"running\"}");
        is_text(tree.state, "running", "the task's state");
        start(1, "plan", "agent");
        is_number(state_of("plan"), NODE_RUNNING, "a step that has begun runs");
        end(3, "plan", "done");
        is_number(state_of("plan"), NODE_DONE, "and has ended");
        is_number((long long) (task_tree_find(&tree, "plan")->ended_usec -
                               task_tree_find(&tree, "plan")->started_usec),
                  2000000, "by the times of the events");
        end(4, "late", "failed");
        is_number(state_of("late"), NODE_FAILED, "an end without a start is an end");
        is_number(state_of("nowhere"), -1, "what nobody spoke of is not there");
        event(5, "step.start", "", 0, "{}");
        event(5, "step.start", "a//b", 0, "{}");
        event(5, "step.start", "/", 0, "{}");
        event(5, "step.start", "x[", 0, "{}");
        event(5, "step.start", "y[z]", 0, "{}");
        is_number(state_of("y[z]"), NODE_RUNNING, "brackets that hold no number are a name");
        event(9, "task.state", "", 0, "{\"state\":\"cancelled\"}");
        is_number(state_of("x["), NODE_STOPPED, "at the task's end nothing runs");
        ok(task_tree_has_ended(&tree), "the task has ended");
}

static void test_loop(void) {
        reset();
        start(0, "loop", "dountil");
        event(1, "step.start", "loop/code", 1,
              "{\"kind\":\"agent\",\"path\":\"loop[1]/code\",\"of\":5}");
        end(2, "loop[1]/code", "done");
        start(3, "loop[2]/code", "agent");
        is_number((long long) task_tree_find(&tree, "loop")->iteration, 2, "the second iteration");
        is_number((long long) task_tree_find(&tree, "loop")->of, 5, "of five");
        is_number(state_of("loop[1]/code"), -1, "the first is forgotten");
        is_number(state_of("loop[2]/code"), NODE_RUNNING, "the second runs");
        is_number(state_of("loop/code"), NODE_RUNNING,
                  "and is the one that is meant without a number");
        end(4, "loop[1]/code", "failed");
        is_number(state_of("loop[2]/code"), NODE_RUNNING, "late news of the first change nothing");
        end(5, "loop[2]/code", "done");
        end(6, "loop", "done");
        is_number(state_of("loop"), NODE_DONE, "the loop has ended");
        start(7, "loop", "dountil");
        is_number((long long) task_tree_find(&tree, "loop")->iteration, 0,
                  "begun once more it counts anew");
        start(8, "loop[1]/code", "agent");
        is_number(state_of("loop[1]/code"), NODE_RUNNING, "from one");
}

static void test_paths_without_numbers(void) {
        reset();
        start(0, "loop", "dowhile");
        event(1, "step.start", "loop/code", 1, "{\"kind\":\"agent\"}");
        event(2, "step.end", "loop/code", 1, "{\"state\":\"done\"}");
        event(3, "step.start", "loop/code", 2, "{\"kind\":\"agent\"}");
        is_number((long long) task_tree_find(&tree, "loop")->iteration, 2,
                  "the iteration beside the path counts");
        is_number(state_of("loop[2]/code"), NODE_RUNNING, "its step runs");
        event(4, "step.start", "loop/par", 3, "{\"kind\":\"parallel\"}");
        event(5, "step.start", "loop/par/one", 3, "{\"kind\":\"exec\"}");
        is_number(state_of("loop[3]/par/one"), NODE_RUNNING, "further in as well");
}

static void test_tries(void) {
        reset();
        start(0, "par", "parallel");
        start(1, "par/one", "exec");
        end(2, "par/one", "failed");
        start(3, "par/~1/two", "exec");
        is_number(state_of("par/one"), -1, "what the first try did is forgotten");
        is_number(state_of("par/two"), NODE_RUNNING, "the second one runs");
        is_number((long long) task_tree_find(&tree, "par")->tries, 1, "and is counted");
        end(4, "par/one", "done");
        end(4, "par/~0/one", "done");
        start(5, "~1", "exec");
        is_number(state_of("par/two"), NODE_RUNNING, "late news of the first change nothing");
}

static void test_foreach(void) {
        char path[64];

        reset();
        event(0, "step.start", "each", 0, "{\"kind\":\"foreach\",\"of\":100}");
        for (unsigned i = 1; i <= 100; i++) {
                snprintf(path, sizeof(path), "each[%u]/work", i);
                start(i, path, "agent");
                if (i % 3)
                        end(i, path, "done");
        }
        is_number(state_of("each[99]/work"), NODE_RUNNING, "an item that runs is kept");
        is_number(state_of("each[3]/work"), NODE_RUNNING, "however old");
        is_number(state_of("each[1]/work"), -1, "one that ended is forgotten");
        ok(tree.n_nodes < 150, "not all are kept");
        end(101, "each[3]/work", "failed");
        end(102, "each[3]", "failed");
        is_number(state_of("each[3]"), NODE_FAILED, "an item that failed");
}

/* Many steps, deep ones too: a bounded number of nodes, and none is used after it was freed */
static void test_bounds(void) {
        char path[1024] = "", step[64];

        reset();
        for (unsigned i = 0; i < 3000; i++) {
                snprintf(step, sizeof(step), "s%u/in%u/deep%u", i % 700, i % 11, i % 5);
                start(i, step, i % 2 ? "foreach" : "dountil");
                if (i % 4)
                        end(i, step, "done");
                snprintf(step, sizeof(step), "s%u", i % 701);
                end(i, step, "done");
                snprintf(step, sizeof(step), "s%u[%u]/x", i % 700, i);
                start(i, step, "agent");
        }
        ok(tree.n_nodes <= TREE_NODES_MAX, "the tree is bounded");
        ok(tree.forgot, "and says that something is missing");
        reset();
        for (unsigned i = 0; i < 200; i++)
                strcat(path, "d/");
        start(1, path, "agent");
        ok(tree.n_nodes <= 40, "a path of 200 steps is cut off");
        for (unsigned i = 0; i < 500; i++)
                path[i] = 'n';
        start(1, path, "agent");
        is_number((long long) strlen(tree.root.children->next->id), TREE_NAME_MAX - 1,
                  "a long name is cut");
}

static void test_verdicts(void) {
        reset();
        start(0, "check", "verify");
        event(1, "verify.start", "check", 0, "{\"n\":1}");
        event(1, "notice", "check", 0, "{\"phase\":\"command\",\"id\":\"unit\"}");
        is_text(task_tree_find(&tree, "check")->doing, "command unit", "the phase of a verify");
        event(2, "verify.end", "check", 0,
              "{\"n\":1,\"verdict\":\"failed\",\"tests\":{\"run\":3,\"passed\":1,\"failed\":2},"
              "\"failing\":[\"a\",\"b\"],\"reason\":\"2 of 3\"}");
        is_text(tree.verdict.verdict, "failed", "the verdict");
        is_number(tree.verdict.n_failing, 2, "what failed");
        is_text(tree.verdict.failing[1], "b", "by name");
        is_text(task_tree_find(&tree, "check")->verdict, "failed", "at its step too");
        event(3, "verify.end", "check", 0, "{\"n\":2,\"verdict\":\"passed\"}");
        is_number(tree.verdict.n_failing, 0, "the next verdict replaces all of it");
}

static void test_waiting(void) {
        reset();
        event(0, "task.state", "", 0, "{\"state\":\"running\"}");
        start(1, "review", "ask");
        event(2, "ask", "review", 0, "{\"phase\":\"asked\",\"text\":\"Is the plan good?\"}");
        event(2, "task.state", "", 0, "{\"state\":\"suspended\"}");
        is_text(tree.question, "Is the plan good?", "what waits for a person");
        is_number(state_of("review"), NODE_WAITING, "its step waits");
        event(9, "task.state", "", 0, "{\"state\":\"running\"}");
        is_text(tree.question, "", "is answered");
        event(9, "ask", "review", 0, "{\"phase\":\"asked\",\"text\":\"And this?\"}");
        event(9, "ask", "review", 0, "{\"phase\":\"decided\",\"text\":\"And this?\"}");
        is_text(tree.question, "", "by its own event as well");
        is_number(state_of("review"), NODE_RUNNING, "and goes on");
        start(9, "each", "foreach");
        start(9, "each[0]/work", "exec");
        end(9, "each[0]/work", "done");
        start(9, "each[1]/work", "exec");
        event(9, "task.state", "", 0, "{\"state\":\"suspended\"}");
        is_number(state_of("each[0]"), NODE_RUNNING, "an item whose steps have ended waits for nobody");
        is_number(state_of("each[1]"), NODE_WAITING, "one that runs does");
        event(9, "task.state", "", 0, "{\"state\":\"running\"}");
        is_number(state_of("each[1]"), NODE_RUNNING, "and goes on as well");
        event(10, "notice", "", 0, "{\"phase\":\"resume\"}");
        is_number(state_of("review"), NODE_STOPPED, "an agent that begins anew says so again");
}

static void test_strange(void) {
        static const char *const strange[] = {
                "{}",
                "{\"seq\":1}",
                "{\"event\":\"step.start\"}",
                "{\"seq\":1,\"event\":7,\"data\":[]}",
                "{\"seq\":2,\"event\":\"verify.end\",\"data\":{\"failing\":[1,null],\"tests\":5}}",
                "{\"seq\":3,\"event\":\"notice\",\"used\":{\"a\":[1],\"b\":[-1,2],\"c\":\"x\","
                "\"d\":[1,5]}}",
                "{\"seq\":4,\"event\":\"tool.call\",\"step\":\"s\",\"data\":{\"arguments\":\"{\"}}",
        };

        reset();
        for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
                cJSON *json = NULL;

                json_parse(strange[i], strlen(strange[i]), 0, &json, NULL);
                task_tree_fold(&tree, json);
                (void) json_free(json);
        }
        is_number(tree.n_budgets, 1, "of strange budgets the good one is taken");
        is_text(task_tree_find(&tree, "s")->doing, "? ", "arguments that are no JSON");
        task_tree_fold(&tree, NULL);
        is_number((long long) tree.seq, 4, "nothing at all changes nothing");
}

/* ---- rendering ----------------------------------------------------------------------------------- */

static char *render(unsigned width, unsigned height, bool colour) {
        ViewSize size = { .width = width,
                          .height = height,
                          .now_usec = (uint64_t) (1767607200 + 100) * 1000000,
                          .colour = colour };
        Buf out = BUF_EMPTY(1 << 20);

        if (task_view_render(&tree, &size, &out) < 0)
                tap_result(false, __FILE__, __LINE__, "cannot be rendered");
        return buf_take(&out);
}

static void looks(unsigned width, unsigned height, const char *want, const char *what) {
        char *got = render(width, height, false);

        is_text(got, want, what);
        free(got);
}

static void make_some(void) {
        reset();
        event(0, "task.state", "", 0, "{\"state\":\"running\"}");
        event(0, "step.start", "plan", 0, "{\"kind\":\"agent\",\"role\":\"architect\"}");
        end(12, "plan", "done");
        event(12, "step.start", "loop", 0, "{\"kind\":\"dountil\",\"of\":5}");
        event(40, "step.start", "loop[2]/code", 0, "{\"kind\":\"agent\",\"role\":\"developer\"}");
        event(41, "tool.call", "loop[2]/code", 0,
              "{\"tool\":\"bash\",\"arguments\":\"{\\\"command\\\":\\\"make test\\\\nx\\\"}\"}");
}

static void test_view(void) {
        make_some();
        looks(60, 0,
              "t-7f3kq2m4ab  running                               1 m 40 s\n"
              "  ✓ plan  architect                                   12.0 s\n"
              "  ▸ loop  iteration 2 of 5                          1 m 28 s\n"
              "    ▸ code  developer                                    1 m\n"
              "        bash make test\n",
              "steps as a tree");
        looks(24, 0,
              "t-7f3kq2m4ab  running\n"
              "  ✓ plan  architect\n"
              "  ▸ loop  iteration 2 o…\n"
              "    ▸ code  developer\n"
              "        bash make test\n",
              "a narrow terminal has no times, and lines are cut");
        event(50, "verify.end", "loop[2]/code", 0,
              "{\"n\":2,\"verdict\":\"failed\",\"tests\":{\"run\":3,\"passed\":1},"
              "\"failing\":[\"one\",\"two\"]}");
        looks(60, 6,
              "t-7f3kq2m4ab  running                               1 m 40 s\n"
              "  ▸ loop  iteration 2 of 5                          1 m 28 s\n"
              "    ▸ code  developer  failed                            1 m\n"
              "  verdict 2: failed, 1 of 3 tests passed\n"
              "    ✗ one\n"
              "    ✗ two\n",
              "a low one shows what runs, and what failed");
        looks(60, 4,
              "t-7f3kq2m4ab  running                               1 m 40 s\n"
              "    ▸ code  developer  failed                            1 m\n"
              "  verdict 2: failed, 1 of 3 tests passed\n"
              "    ✗ one\n",
              "a very low one what runs last");
        start(60, "more", "exec");
        start(60, "and-more", "exec");
        looks(60, 6,
              "t-7f3kq2m4ab  running                               1 m 40 s\n"
              "  … 3 lines above\n"
              "  ▸ and-more                                            40 s\n"
              "  verdict 2: failed, 1 of 3 tests passed\n"
              "    ✗ one\n"
              "    ✗ two\n",
              "and says how much is above");
}

static void test_items(void) {
        reset();
        event(0, "step.start", "each", 0, "{\"kind\":\"foreach\",\"of\":4}");
        start(1, "each[0]/work", "agent");
        start(1, "each[1]/work", "agent");
        end(5, "each[0]/work", "done");
        end(5, "each[0]", "failed");
        looks(54, 0,
              "t-7f3kq2m4ab                                  1 m 40 s\n"
              "  ▸ each  1 of 4 done, 1 running, 1 failed    1 m 40 s\n"
              "    ✗ [0]                                        4.0 s\n"
              "      ✓ work                                     4.0 s\n"
              "    ▸ [1]                                     1 m 39 s\n"
              "      ▸ work                                  1 m 39 s\n",
              "items of a foreach");
}

static bool fits(const char *text, unsigned width) {
        while (text && *text) {
                size_t n = strcspn(text, "\n");

                if (cells_of(text, n) > width)
                        return false;
                text += n + (text[n] == '\n');
        }
        return true;
}

static unsigned count_lines(const char *text) {
        unsigned n = 0;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

/* Every size from none: no line too long, never more lines than asked for where that can be */
static void test_sizes(void) {
        unsigned wide = 0, high = 0;

        make_some();
        event(50, "verify.end", "loop[2]/code", 0,
              "{\"n\":2,\"verdict\":\"failed\",\"failing\":[\"漢字漢字漢字漢字\",\"e\xcc\x81\","
              "\"two\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"],\"reason\":\"漢字 because\"}");
        event(60, "limit", "", 0, "{\"limit\":\"verifies\"}");
        for (unsigned width = 1; width < 130; width++)
                for (unsigned height = 4; height < 30; height++) {
                        char *text = render(width, height, false);

                        wide += !fits(text, width);
                        high += count_lines(text) > height;
                        free(text);
                }
        is_number(wide, 0, "no line is wider than the terminal");
        is_number(high, 0, "nor are there more than it has");
}

static void test_escapes(void) {
        char *text;

        reset();
        start(0, "s\\u001b[2J", "agent");
        event(1, "tool.call", "s\\u001b[2J", 0, "{\"tool\":\"\\u001b]0;x\\u0007\"}");
        event(1, "notice", "", 0, "{\"text\":\"\\u009b31m\\u202eevil\\r\\nsecond\"}");
        event(1, "task.state", "", 0,
              "{\"state\":\"error\",\"cause\":\"\\u001b[31m\",\"summary\":"
              "\"\\u001bc\\n\\u001bc\"}");
        text = render(100, 0, false);
        ok(!strchr(text, 0x1b) && !strchr(text, 7) && !strstr(text, "\xc2\x9b") &&
                   !strstr(text, "\xe2\x80\xae"),
           "nothing of others reaches a terminal as it is");
        ok(strstr(text, "s\\x1b[2J"), "it is shown escaped");
        free(text);
        text = render(100, 0, true);
        ok(strstr(text, "\033["), "colours are ours");
        free(text);
}

static void test_cells(void) {
        is_number(cells_of("abc", 3), 3, "letters");
        is_number(cells_of("漢字", 6), 4, "wide ones");
        is_number(cells_of("e\xcc\x81", 3), 1, "what combines");
        is_number(cells_of("\xff\xfe", 2), 2, "no UTF-8");
        is_number((long long) cells_fit("漢字", 3), 3, "half a character does not fit");
        is_number((long long) cells_fit("e\xcc\x81x", 1), 3, "what combines stays with its letter");
}

int main(void) {
        test_steps();
        test_loop();
        test_paths_without_numbers();
        test_tries();
        test_foreach();
        test_bounds();
        test_verdicts();
        test_waiting();
        test_strange();
        test_cells();
        test_view();
        test_items();
        test_sizes();
        test_escapes();
        task_tree_deinit(&tree);
        return tap_end();
}
