/* expressions and templates: plain paths mean what jq means, and the rest goes to libjq. */
#include <string.h>

#include "agent/workflow/expression.h"
#include "agent/workflow/plain.h"
#include "agent/workflow/template.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/sanitizer.h"
#include "tests/tap.h"

static const char data_text[] =
        "{\"input\":{\"request\":\"mend it\",\"n\":3},\"state\":{},\"iteration\":2,\"item\":null,"
        "\"steps\":{\"check\":{\"verdict\":\"failed\",\"failing\":[\"a\",\"b\"],\"no\":false},"
        "\"unit tests\":{\"code\":1}}}";

static cJSON *data;

/* The value as JSON, or "error: …". */
static const char *value_of(const char *text) {
        static char shown[ERROR_TEXT_MAX + 64];
        SCOPED(expressions_free) ExpressionSet *set = NULL;
        SCOPED(json_free) cJSON *value = NULL;
        autofree char *printed = NULL;
        Error err = ERROR_EMPTY;
        int id;

        if (expressions_new(&set) < 0)
                return "no memory";
        id = expressions_add(set, text, strlen(text), "/x", &err);
        if (id < 0 || expressions_eval(set, (unsigned) id, data, &value, &err) < 0) {
                (void) snprintf(shown, sizeof(shown), "error: %s", err.text);
                return shown;
        }
        printed = json_print(value);
        (void) snprintf(shown, sizeof(shown), "%s", printed);
        return shown;
}

static void plain_forms(void) {
        static const struct {
                const char *text, *want;
        } cases[] = {
                { ".input.request", "\"mend it\"" },
                { " .input.request ", "\"mend it\"" },
                { ".steps.check.failing[1]", "\"b\"" },
                { ".steps.check.failing[7]", "null" },
                { ".steps[\"unit tests\"].code", "1" },
                { ".steps.\"unit tests\".code", "1" },
                { ".nothing.at.all", "null" },
                { ".item.x", "null" },
                { ".", NULL },
                { ".steps.check.verdict == \"passed\"", "false" },
                { ".steps.check.verdict != \"passed\"", "true" },
                { "\"failed\" == .steps.check.verdict", "true" },
                { ".iteration < 3", "true" },
                { ".iteration<=2", "true" },
                { ".iteration > 2", "false" },
                { ".iteration >= 2.5", "false" },
                { ".item < 0", "true" },
                { ".steps.check.digest // \"none\"", "\"none\"" },
                { ".steps.check.no // 7", "7" },
                { ".steps.check.verdict // \"none\"", "\"failed\"" },
                { ".input.request.x // \"an error counts as nothing\"",
                  "\"an error counts as nothing\"" },
                { ".steps.nope.verdict == null", "true" },
                { "true", "true" },
                { "42", "42" },
        };

        for (unsigned i = 0; i < ELEMENTS(cases); i++) {
                SCOPED(plain_free) Plain *plain = NULL;

                ok(plain_parse(cases[i].text, &plain) == 0, "plain: %s", cases[i].text);
                if (cases[i].want)
                        is_text(value_of(cases[i].text), cases[i].want, cases[i].text);
        }
        has_text(value_of(".input.request.x"), "\"x\" is asked of a string", "a field of a string");
        has_text(value_of(".input[0]"), "element 0 is asked of an object",
                 "an element of an object");
        has_text(value_of(".input.request.x"), "/x: `.input.request.x`",
                 "an error names the expression");
}

static void other_forms(void) {
        static const struct {
                const char *text, *want;
        } cases[] = {
                { ".steps.check.failing | length", "2" },
                { ".steps.check.verdict == \"passed\" or .iteration > 1", "true" },
                { "[.steps.check.failing[] | ascii_upcase]", "[\"A\",\"B\"]" },
                { ".input.n + 1 # one more", "4" },
                { "\"\\(.input.n)!\"", "\"3!\"" },
                { ".a as $x | $x", "null" },
                { ".steps.check.failing[-1]", "\"b\"" },
                { "{n: .input.n}", "{\"n\":3}" },
                { ".input < .steps", NULL },
        };

        for (unsigned i = 0; i < ELEMENTS(cases); i++) {
                SCOPED(plain_free) Plain *plain = NULL;

                ok(plain_parse(cases[i].text, &plain) == PLAIN_E_OTHER, "for libjq: %s",
                   cases[i].text);
                if (cases[i].want)
                        is_text(value_of(cases[i].text), cases[i].want, cases[i].text);
        }
        has_text(value_of("empty"), "it gave no value", "an expression without a value");
        has_text(value_of("error(\"no\")"), "no", "an expression that raises an error");
        has_text(value_of(".input |"), "syntax error", "no jq at all");
        has_text(value_of("halt"), "error", "halting");
        has_text(value_of(""), "1 to", "no expression");
}

/* None of these ends by itself, but by the memory of the machine, or of the process */
static void bounds(void) {
        static const struct {
                const char *text, *want;
        } cases[] = {
                { "last(range(0; 1000000000000))", "jq took more than 5 s of processor time" },
                { "reduce range(0; 2000000) as $i (0; [.])", "jq ended: " },
        };

        for (unsigned i = 0; i < ELEMENTS(cases); i++)
                has_text(value_of(cases[i].text), cases[i].want, cases[i].text);
#ifndef __SANITIZE_ADDRESS__ /* it has no such limit then */
        has_text(value_of("\"xxxxxxxxxxxxxxxx\" | until(false; . + .)"),
                 "jq needed more than 256 MiB of memory", "a text that doubles");
#endif
}

/* libjq 1.6 divides as the processor does, which says so by a signal; later ones have a value */
static void divisions(void) {
        static const char *const cases[] = { "1e19 % -1", "(.input.n - 4) as $n | 1e19 % $n" };

        for (unsigned i = 0; i < ELEMENTS(cases); i++) {
                const char *said = value_of(cases[i]);

                ok(strstr(said, "jq ended: ") || strcmp(said, "0") == 0 || strcmp(said, "-0") == 0,
                   "%s is an error or has a value: %s", cases[i], said);
        }
}

static void after_its_end(void) {
        SCOPED(expressions_free) ExpressionSet *set = NULL;
        SCOPED(json_free) cJSON *value = NULL;
        Error err = ERROR_EMPTY;
        static const char deep[] = "reduce range(0; 2000000) as $i (0; [.])";

        (void) expressions_new(&set);
        (void) expressions_add(set, deep, strlen(deep), "/deep", &err);
        (void) expressions_add(set, ".input.n * 2", 12, "/n", &err);
        (void) expressions_add(set, ".input.n", 8, "/plain", &err);
        is_number(expressions_eval(set, 1, data, &value, &err), 0, "the worker works");
        value = json_free(value);
        is_number(expressions_eval(set, 0, data, &value, &err), -EINVAL, "until it is ended");
        is_number(expressions_eval(set, 1, data, &value, &err), -EINVAL,
                  "then the others fail, too");
        has_text(err.text, "/n: `.input.n * 2`: an expression before it ended jq: jq ended",
                 "with that reason");
        is_number(expressions_eval(set, 2, data, &value, &err), 0, "but for what is plain");
}

static void one_program(void) {
        SCOPED(expressions_free) ExpressionSet *set = NULL;
        SCOPED(json_free) cJSON *first = NULL, *second = NULL;
        Error err = ERROR_EMPTY;
        int a, b, c;

        (void) expressions_new(&set);
        a = expressions_add(set, ".input.n * 2", 12, "/a", &err);
        b = expressions_add(set, ".iteration", 10, "/b", &err);
        c = expressions_add(set, ".input.n - 1", 12, "/c", &err);
        ok(expressions_uses_jq(set), "two of three need libjq");
        is_number(expressions_compile(set, &err), 0, "they compile together");
        (void) expressions_eval(set, (unsigned) c, data, &second, &err);
        (void) expressions_eval(set, (unsigned) a, data, &first, &err);
        ok(first && first->valueint == 6 && second && second->valueint == 2 && b == 1,
           "and keep their numbers");
        (void) expressions_add(set, "1", 1, "/d", &err);
        expressions_free(TAKE_PTR(set));
        (void) expressions_new(&set);
        (void) expressions_add(set, ".input.n * 2", 12, "/a", &err);
        (void) expressions_add(set, ".input ]", 8, "/steps/1/prompt", &err);
        is_number(expressions_compile(set, &err), -EINVAL, "one that is no jq");
        has_text(err.text, "/steps/1/prompt: `.input ]`", "is named, not its neighbour");
}

static int note(const char *name, const char *path, void *userdata, Error *err) {
        Buf *names = userdata;

        (void) err;
        return buf_printf(names, "%s@%s ", name, path);
}

static void named_steps(void) {
        SCOPED(expressions_free) ExpressionSet *set = NULL;
        Buf names = BUF_EMPTY(1000);
        static const char text[] =
                ".steps.plan.x + .steps[\"unit tests\"].y + \".steps.in_a_string\" + .steps";

        (void) expressions_new(&set);
        (void) expressions_add(set, text, strlen(text), "/p", NULL);
        is_number(expressions_each_step(set, NULL, note, &names, NULL), 0,
                  "steps of an expression");
        is_text(names.data, "plan@/p unit tests@/p ", "both spellings, no text in quotes");
        buf_deinit(&names);
}

static const char *fill(const char *text) {
        static char shown[ERROR_TEXT_MAX + 64];
        SCOPED(expressions_free) ExpressionSet *set = NULL;
        SCOPED(template_free) Template *template = NULL;
        autofree char *filled = NULL;
        Error err = ERROR_EMPTY;

        (void) expressions_new(&set);
        if (template_parse(text, set, "/t", &template, &err) < 0 ||
            template_fill(template, set, data, &filled, &err) < 0)
                (void) snprintf(shown, sizeof(shown), "error: %s", err.text);
        else
                (void) snprintf(shown, sizeof(shown), "%s", filled);
        return shown;
}

static void templates(void) {
        is_text(fill("do: {{ .input.request }}!"), "do: mend it!", "a string as it is");
        is_text(fill("{{.nothing}}"), "", "null as nothing");
        is_text(fill("{{ .steps.check.failing }} {{ .iteration }}"), "[\"a\",\"b\"] 2",
                "the rest as JSON");
        is_text(fill("{{ .x // \"}}\" }}."), "}}.", "brackets in a string end nothing");
        is_text(fill("no expression"), "no expression", "plain text");
        is_text(fill(""), "", "no text");
        has_text(fill("a {{ .b"), "/t: \"{{\" has no \"}}\"", "an opening without end");
        has_text(fill("{{ }}"), "error", "an empty expression");
}

int main(void) {
        (void) json_parse(data_text, strlen(data_text), 0, &data, NULL);
        plain_forms();
        other_forms();
        one_program();
        bounds();
        divisions();
        after_its_end();
        named_steps();
        templates();
        json_free(data);
        return tap_end();
}
