/*
 * verdict-json: see verdict-json.h.
 */
#include "supervisor/front/gate/verdict-json.h"

#include <stdio.h>
#include <string.h>

#include "base/canonical.h"
#include "base/escape.h"
#include "supervisor/front/gate/plain-output.h"

#define DETAIL_NAMES    20
#define DETAIL_NAME_MAX 120
#define TAIL_LINES      30
#define TAIL_BYTES      3000
#define FIRST_LINES     12
#define FIRST_BYTES     1200

static void add_digest(cJSON *json, const char *name, const uint8_t *value) {
        char text[DIGEST_TEXT_MAX];

        json_add_text(json, name, value ? digest_format(value, text) : NULL);
}

static void add_tests(cJSON *json, const VerdictTests *tests) {
        cJSON *object = json_add_object(json, "tests");

        json_add_number(object, "base", tests->base);
        json_add_number(object, "run", tests->run);
        json_add_number(object, "passed", tests->passed);
        json_add_number(object, "failed", tests->failed);
        json_add_number(object, "skipped", tests->skipped);
        json_add_number(object, "known", tests->known);
}

/* formats.md: what is put back and what is taken away both stand in `restored` */
static void add_touched(cJSON *json, const Touched *touched) {
        cJSON *restored = json_add_array(json, "restored");
        const cJSON *path;

        if (!touched) {
                json_add_array(json, "dangerous");
                json_add_array(json, "new_tests");
                return;
        }
        cJSON_ArrayForEach(path, touched->restored) json_push_text(restored, path->valuestring);
        cJSON_ArrayForEach(path, touched->dangerous) json_push_text(restored, path->valuestring);
        json_add_consume(json, "dangerous", cJSON_Duplicate(touched->dangerous, true));
        json_add_consume(json, "new_tests", cJSON_Duplicate(touched->new_tests, true));
        if (cJSON_GetArraySize(touched->remarks) > 0)
                json_add_consume(json, "remarks", cJSON_Duplicate(touched->remarks, true));
}

static void add_command(cJSON *commands, const RunCommand *command) {
        cJSON *json = json_push_consume(commands, cJSON_CreateObject()), *hits;

        json_add_text(json, "id", command->id);
        json_add_text(json, "cause", cause_name(command->cause));
        json_add_consume(json, "code", cJSON_CreateNumber(command->code));
        if (command->signal)
                json_add_number(json, "signal", (uint64_t) command->signal);
        hits = json_add_array(json, "hits");
        for (unsigned i = 0; i < _HIT_MAX; i++)
                if (command->hits & BIT(i))
                        json_push_text(hits, hit_name((Hit) i));
        json_add_number(json, "wall_usec", command->wall_usec);
}

static void add_head(cJSON *json, const VerdictFacts *facts) {
        json_add_text(json, "warder", "verdict/1");
        if (facts->task)
                json_add_text(json, "task", facts->task);
        json_add_number(json, "n", facts->n);
        json_add_text(json, "verdict", verdict_name(facts->verdict->kind));
        if (facts->verdict->cause[0])
                json_add_text(json, "cause", facts->verdict->cause);
        json_add_text(json, "reason", facts->verdict->reason);
        add_digest(json, "patch", facts->patch);
        add_digest(json, "tree", facts->tree);
        add_digest(json, "spec", facts->spec);
        add_digest(json, "snapshot", facts->snapshot);
        add_digest(json, "policy", facts->policy);
}

cJSON *verdict_json(const VerdictFacts *facts) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        uint8_t digest[DIGEST_SIZE];
        cJSON *commands;

        add_head(json, facts);
        add_tests(json, &facts->verdict->tests);
        json_add_consume(json, "failing", cJSON_Duplicate(facts->verdict->failing, true));
        json_add_consume(json, "known", cJSON_Duplicate(facts->verdict->known, true));
        json_add_consume(json, "missing", cJSON_Duplicate(facts->verdict->missing, true));
        if (facts->verdict->runs > 1) {
                json_add_number(json, "runs", facts->verdict->runs);
                json_add_number(json, "runs_passed", facts->verdict->runs_passed);
        }
        json_add_consume(json, "flaky", cJSON_Duplicate(facts->verdict->flaky, true));
        json_add_consume(json, "newly_skipped", cJSON_Duplicate(facts->verdict->skipped, true));
        add_touched(json, facts->touched);
        if (facts->verdict->tdd)
                json_add_consume(json, "tdd", cJSON_Duplicate(facts->verdict->tdd, true));
        if (facts->verdict->held)
                json_add_consume(json, "held", cJSON_Duplicate(facts->verdict->held, true));
        commands = json_add_array(json, "commands");
        for (unsigned i = 0; facts->run && i < facts->run->n; i++)
                add_command(commands, &facts->run->commands[i]);
        if (!commands || canonical_digest(json, digest) < 0)
                return NULL;
        add_digest(json, "digest", digest);
        return json_text(json, "digest") ? TAKE_PTR(json) : NULL;
}

/* ---- text ---------------------------------------------------------------------------------------- */

static void say_names(Buf *buf, const char *title, const cJSON *names) {
        int n = cJSON_GetArraySize(names), shown = 0;
        const cJSON *name;

        if (n == 0)
                return;
        (void) buf_printf(buf, "\n%s (%d):\n", title, n);
        cJSON_ArrayForEach(name, names) {
                autofree char *short_name = NULL;

                if (shown++ == DETAIL_NAMES) {
                        (void) buf_printf(buf, "  … and %d more\n", n - DETAIL_NAMES);
                        return;
                }
                short_name = escape_new(name->valuestring, DETAIL_NAME_MAX);
                (void) buf_printf(buf, "  %s\n", short_name ? short_name : "");
        }
}

static void say_remarks(Buf *buf, const cJSON *remarks) {
        int shown = 0;
        const cJSON *remark;

        if (cJSON_GetArraySize(remarks) == 0)
                return;
        (void) buf_printf(buf, "\nRemarks on the change:\n");
        cJSON_ArrayForEach(remark, remarks) {
                uint64_t line = 0;

                if (shown++ == DETAIL_NAMES)
                        return;
                (void) json_number(remark, "line", &line);
                (void) buf_printf(buf, "  %s: %.200s:%llu: %s\n", json_text(remark, "check"),
                                  json_text(remark, "file"), (unsigned long long) line,
                                  json_text(remark, "text"));
        }
}

static const RunCommand *first_bad(const RunResult *run) {
        for (unsigned i = 0; run && i < run->n; i++)
                if (!run_command_is_good(&run->commands[i]) || run->commands[i].failed > 0)
                        return &run->commands[i];
        return NULL;
}

/* Where the last TAIL_LINES lines begin, within TAIL_BYTES */
static const char *tail_of(const char *text) {
        size_t n = strlen(text), lines = 0;
        const char *at = text + n;

        while (at > text && (size_t) (text + n - at) < TAIL_BYTES) {
                if (at[-1] == '\n' && at != text + n && ++lines == TAIL_LINES)
                        break;
                at--;
        }
        while (((unsigned char) *at & 0xc0) == 0x80) /* never begin within a character */
                at++;
        return at;
}

/* A piece of an output without what differs from run to run; the last line ends */
static void say_piece(Buf *buf, const char *text, size_t n) {
        Buf plain = BUF_EMPTY(4 * TAIL_BYTES);

        if (plain_output(&plain, text, n) == 0 && plain.data)
                (void) escape_text(buf, plain.data, plain.len, 1);
        buf_deinit(&plain);
        if (buf->len && buf->data[buf->len - 1] != '\n')
                (void) buf_append(buf, "\n", 1);
}

static bool says_failure(const char *line, size_t n) {
        static const char *const words[] = { "not ok", "FAIL", "Fail", "fail",
                                             "rror",   "✕",    "✖",    "__" };

        for (unsigned i = 0; i < ELEMENTS(words); i++)
                if (memmem(line, n, words[i], strlen(words[i])))
                        return true;
        return false;
}

/* The line that tells of a test's failure: it has its name, or what comes last in it, and says so. NULL: none */
static const char *failure_line(const char *text, const char *name) {
        const char *last = name + strlen(name);

        while (last > name && !strchr(":./ ", last[-1]))
                last--;
        for (const char *line = text; *last && *line;) {
                size_t n = strcspn(line, "\n");

                if (memmem(line, n, last, strlen(last)) && says_failure(line, n))
                        return line;
                line += n + (line[n] == '\n');
        }
        return NULL;
}

/* The first failing test where its runner told of it, unless that stands in the last lines */
static void say_first(Buf *buf, const RunCommand *command, const cJSON *failing, const char *tail) {
        const cJSON *first = cJSON_GetArrayItem(failing, 0);
        const char *line = first ? failure_line(command->output, first->valuestring) : NULL;
        size_t n = 0;

        if (!line || line >= tail)
                return;
        for (unsigned lines = 0; lines < FIRST_LINES && line[n] && n < FIRST_BYTES; lines++)
                n += strcspn(line + n, "\n") + 1;
        n = strnlen(line, n < FIRST_BYTES ? n : FIRST_BYTES);
        while (n > 0 && ((unsigned char) line[n] & 0xc0) == 0x80) /* nor end within one */
                n--;
        (void) buf_printf(buf, "\nThe first failure in the output of \"%s\":\n", command->id);
        say_piece(buf, line, n);
}

static void say_output(Buf *buf, const RunCommand *command, const cJSON *failing) {
        const char *tail;

        if (!command || !command->output || !command->output[0])
                return;
        tail = tail_of(command->output);
        say_first(buf, command, failing, tail);
        (void) buf_printf(buf, "\n%s of \"%s\":\n",
                          tail == command->output ? "Output" : "Last lines", command->id);
        say_piece(buf, tail, strlen(tail));
}

static void say_counts(Buf *buf, const VerdictTests *tests) {
        if (tests->run + tests->skipped + tests->base == 0)
                return;
        (void) buf_printf(
                buf, "Tests: %llu passed, %llu failed, %llu skipped; on the base there are %llu.\n",
                (unsigned long long) tests->passed, (unsigned long long) tests->failed,
                (unsigned long long) tests->skipped, (unsigned long long) tests->base);
}

/* {"test", "why"} and {"file", "line"} as the lines of a list */
static cJSON *lines_of(const cJSON *objects, const char *first, const char *second) {
        cJSON *lines = cJSON_CreateArray();
        const cJSON *object;

        cJSON_ArrayForEach(object, objects) {
                Buf line = BUF_EMPTY(RUN_NAME_MAX + 64);
                autofree char *text = NULL;
                const char *word = json_text(object, second);
                uint64_t number = 0;

                (void) json_number(object, second, &number);
                if (word)
                        (void) buf_printf(&line, "%s: %s", json_text(object, first), word);
                else
                        (void) buf_printf(&line, "%s:%llu", json_text(object, first),
                                          (unsigned long long) number);
                text = buf_take(&line);
                if (text && *text)
                        json_push_text(lines, text);
        }
        return lines;
}

static void say_tdd(Buf *buf, const cJSON *tdd) {
        SCOPED(json_free) cJSON *not_red = lines_of(json_get(tdd, "not_red"), "test", "why");
        SCOPED(json_free) cJSON *unproven = lines_of(json_get(tdd, "unproven"), "file", "line");
        uint64_t all = 0, tried = 0;

        say_names(buf, "New tests that are not red on the base", not_red);
        say_names(buf, "Tests that fail in the form that they had on the base",
                  json_get(tdd, "old_failing"));
        say_names(buf, "Hunks that no test needs", unproven);
        (void) json_number(json_get(tdd, "hunks"), "all", &all);
        (void) json_number(json_get(tdd, "hunks"), "tried", &tried);
        if (all > tried)
                (void) buf_printf(buf, "\nOf %llu hunks %llu were not tried.\n",
                                  (unsigned long long) all, (unsigned long long) (all - tried));
}

char *verdict_detail(const VerdictFacts *facts) {
        const Verdict *verdict = facts->verdict;
        Buf buf = BUF_EMPTY(VERDICT_DETAIL_MAX);

        (void) buf_printf(&buf, "%s: %s\n", verdict_name(verdict->kind), verdict->reason);
        say_counts(&buf, &verdict->tests);
        if (facts->touched) {
                say_names(&buf, "Protected files that were put back", facts->touched->restored);
                say_names(&buf, "Files that were taken away", facts->touched->dangerous);
                say_remarks(&buf, facts->touched->remarks);
        }
        say_names(&buf, "Failing tests", verdict->failing);
        say_names(&buf, "Of these, failing on the base as well", verdict->known);
        if (verdict->kind != VERDICT_PASSED)
                say_output(&buf, first_bad(facts->run), verdict->failing);
        say_names(&buf, "Tests that fail only sometimes", verdict->flaky);
        say_names(&buf, "Tests that are missing", verdict->missing);
        say_names(&buf, "Tests that are skipped now", verdict->skipped);
        say_tdd(&buf, verdict->tdd);
        return buf_take(&buf);
}
