/* edit: exactly once, or a refusal that says what to do. */
#include <errno.h>

#include "agent/tools/edit.h"
#include "tests/tap.h"

typedef struct Outcome {
        int r;
        char text[4096];
        char said[1024];
} Outcome;

static Outcome edit(const char *text, const char *from, const char *to, bool all) {
        EditSpec spec = { .path = "f.c", .old_text = from, .new_text = to, .all = all };
        Buf said = BUF_EMPTY(4096);
        autofree char *edited = NULL;
        Outcome outcome = { 0 };

        outcome.r = edit_text(&spec, text, &edited, &said);
        (void) snprintf(outcome.text, sizeof(outcome.text), "%s", edited ? edited : "(none)");
        (void) snprintf(outcome.said, sizeof(outcome.said), "%s", said.data ? said.data : "");
        buf_deinit(&said);
        return outcome;
}

static void replaces(void) {
        Outcome o = edit("one\ntwo\nthree\n", "two\n", "2\n", false);

        is_number(o.r, 0, "one place");
        is_text(o.text, "one\n2\nthree\n", "is replaced");
        is_text(o.said, "replaced 1 occurrence in f.c, at line 2", "and its line said");
        o = edit("a b a b a", "a", "", true);
        is_text(o.text, " b  b ", "all places, by nothing");
        o = edit("aaaa", "aa", "a", true);
        is_text(o.text, "aa", "places do not overlap");
        o = edit("x", "x", "xx", false);
        is_text(o.text, "xx", "what is put in is not looked at again");
}

static void refuses(void) {
        Outcome o = edit("a\nb\na\n", "a", "c", false);

        is_number(o.r, EDIT_E_REFUSED, "two places");
        is_text(o.text, "(none)", "nothing is changed");
        has_text(o.said, "2 times in f.c, at lines 1, 3", "both lines are said");
        has_text(o.said, "replace_all", "and what to do");
        o = edit("a", "", "c", false);
        is_number(o.r, EDIT_E_REFUSED, "an empty text");
        has_text(o.said, "empty", "is named");
        o = edit("a", "a", "a", false);
        is_number(o.r, EDIT_E_REFUSED, "the same text");
        has_text(o.said, "the same", "is named");
        o = edit("int main(void) {\n\treturn 0;\n}\n", "    return 0;", "\treturn 1;", false);
        is_number(o.r, EDIT_E_REFUSED, "blanks that differ");
        has_text(o.said, "Line 2 begins like it", "the near miss is shown");
        o = edit("a\r\nb\r\n", "a\nb", "c", false);
        has_text(o.said, "CR LF", "line ends that differ are named");
        o = edit("a", "z", "c", true);
        is_number(o.r, EDIT_E_REFUSED, "replace_all finds nothing");
        has_text(o.said, "does not occur", "is a refusal too");
        o = edit("", "z", "c", false);
        is_number(o.r, EDIT_E_REFUSED, "an empty file");
}

static void many(void) {
        char text[2048] = "";
        Outcome o;

        for (unsigned i = 0; i < 50; i++)
                strcat(text, "same\n");
        o = edit(text, "same", "other", false);
        has_text(o.said, "50 times", "many places are counted");
        has_text(o.said, "10, …", "but not all listed");
}

int main(void) {
        replaces();
        refuses();
        many();
        return tap_end();
}
