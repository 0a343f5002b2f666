/* agent: a model that goes round in circles is seen, one that works is left alone. */
#include "agent/workflow/guards.h"
#include "tests/tap.h"

static const GuardRules *defaults(void) {
        static GuardRules rules;

        (void) guard_rules_read(NULL, &rules, NULL);
        return &rules;
}

static void restart(Guards *guards, const GuardRules *rules, bool may_edit) {
        guards_deinit(guards);
        guards_init(guards, rules, may_edit);
}

static GuardHit call_of(Guards *guards, const char *name, const char *arguments) {
        ToolCall call = { .name = strdup(name), .arguments = strdup(arguments) };
        GuardHit hit = { 0 };

        (void) guards_call(guards, &call, &hit);
        guards_made(guards, &call, true);
        free(call.name);
        free(call.arguments);
        return hit;
}

static void same_call(void) {
        static const GuardWord want[] = { GUARD_QUIET, GUARD_QUIET, GUARD_TELL, GUARD_QUIET,
                                          GUARD_END };
        static const char *const spelt[] = { "{\"a\":1,\"b\":2}", "{ \"b\" : 2, \"a\" : 1 }" };
        Guards guards = { 0 };
        unsigned wrong = 0;
        GuardHit hit = { 0 };

        restart(&guards, defaults(), true);
        for (unsigned i = 0; i < 5; i++) {
                hit = call_of(&guards, "grep", spelt[i % 2]);
                wrong += hit.word != want[i];
        }
        is_number(wrong, 0,
                  "the third of a call is told, the fifth is the end, however it is spelt");
        ok(hit.guard == GUARD_SAME_CALL && hit.n == 5 && hit.end == 5, "with its figures");
        restart(&guards, defaults(), true);
        for (unsigned i = 0; i < 20; i++) {
                char arguments[32];

                (void) snprintf(arguments, sizeof(arguments), "{\"n\":%u}", i / 2);
                wrong += call_of(&guards, "read", arguments).word != GUARD_QUIET;
        }
        is_number(wrong, 0, "a call twice, and on: nothing");
        wrong = 0;
        for (unsigned i = 0; i < 4; i++)
                wrong += call_of(&guards, "read", "no JSON").word == GUARD_END;
        is_number(wrong, 0, "four of a call that is no JSON");
        ok(call_of(&guards, "read", "no JSON").word == GUARD_END, "and the fifth");
        guards_deinit(&guards);
}

static void alternating(void) {
        Guards guards = { 0 };
        unsigned ends = 0, tells = 0, first = 0;

        restart(&guards, defaults(), true);
        for (unsigned i = 1; i <= 10; i++) {
                GuardHit hit = call_of(&guards, i % 2 ? "read" : "bash", "{}");

                tells += hit.word == GUARD_TELL && hit.n == 3 && i == 6;
                ends += hit.word == GUARD_END;
                first = hit.word == GUARD_END && first == 0 ? i : first;
                if (hit.word == GUARD_END)
                        is_number(hit.guard, GUARD_ALTERNATING, "pairs, not the same call");
        }
        ok(ends == 1 && first == 10 && tells == 1, "the third pair is told, the fifth is the end");
        restart(&guards, defaults(), true);
        ends = 0;
        for (unsigned i = 0; i < 40; i++)
                ends += call_of(&guards,
                                i % 3 == 0   ? "read"
                                : i % 3 == 1 ? "bash"
                                             : "edit",
                                "{}")
                                .word == GUARD_END;
        is_number(ends, 0, "three calls in turn are no pair");
        restart(&guards, defaults(), true);
        for (unsigned i = 0; i < 8; i++)
                (void) call_of(&guards, i % 2 ? "read" : "bash", "{}");
        (void) call_of(&guards, "edit", "{}");
        (void) call_of(&guards, "bash", "{}");
        ok(call_of(&guards, "read", "{}").word == GUARD_QUIET,
           "another call in between: from the beginning");
        guards_deinit(&guards);
}

static void no_edit(void) {
        Guards guards = { 0 };
        GuardHit hit = { 0 };
        unsigned told = 0;

        restart(&guards, defaults(), true);
        for (unsigned i = 0; i < 29; i++) {
                hit = guards_turn(&guards);
                told += hit.word == GUARD_TELL ? i + 1 : 0;
        }
        ok(hit.word == GUARD_QUIET && told == 20, "twenty turns without an edit are told");
        (void) call_of(&guards, "edit", "{}");
        ok(guards_turn(&guards).n == 0, "an edit begins anew");
        for (unsigned i = 0; i < 30; i++)
                hit = guards_turn(&guards);
        ok(hit.word == GUARD_END && hit.n == 30 && hit.guard == GUARD_NO_EDIT,
           "thirty are the end");
        restart(&guards, defaults(), false);
        for (unsigned i = 0; i < 100; i++)
                hit = guards_turn(&guards);
        is_number(hit.word, GUARD_QUIET, "who may not edit need not");
        restart(&guards, defaults(), true);
        (void) call_of(&guards, "bash", "{\"command\":\"make check 2>&1 | tail\"}");
        is_number(guards_turn(&guards).n, 1, "a test run is no edit");
        (void) call_of(&guards, "bash", "{\"command\":\"sed -i s/a/b/ x\"}");
        is_number(guards_turn(&guards).n, 0, "sed -i is one");
        guards_deinit(&guards);
}

static void lines(void) {
        static const char *const edits[] = { "echo x > a",     "echo x>>a", "cat <<E >|f",
                                             "tee a",          "a; mv b c", "git apply p",
                                             "python3 -c 'x'", "(cp a b)" };
        static const char *const looks[] = { "ls -la",
                                             "make 2>&1",
                                             "make >/dev/null 2>&1",
                                             "make &> /dev/null",
                                             "git log",
                                             "confirm x",
                                             "./run-rm now",
                                             "python3 -m pytest",
                                             "sed -n 1p a",
                                             "grep commit a",
                                             "x >" };

        for (unsigned i = 0; i < ELEMENTS(edits); i++)
                ok(guards_line_edits(edits[i]), "%s: an edit", edits[i]);
        for (unsigned i = 0; i < ELEMENTS(looks); i++)
                ok(!guards_line_edits(looks[i]), "%s: none", looks[i]);
}

static int rules_of(const char *text, GuardRules *rules) {
        SCOPED(json_free) cJSON *json = NULL;

        (void) json_parse(text, strlen(text), 0, &json, NULL);
        return guard_rules_read(json, rules, NULL);
}

static void rules(void) {
        GuardRules rules;

        for (unsigned i = 0; i < _GUARD_MAX; i++)
                ok(defaults()->of[i].end > 0 && defaults()->of[i].end <= GUARD_MOST,
                   "a role that says nothing has every guard");
        is_number(rules_of("{\"same_call\":2,\"no_edit\":{\"end\":4},\"claims\":{\"end\":9,"
                           "\"tell\":2}}",
                           &rules),
                  0, "a role's own");
        ok(rules.of[GUARD_SAME_CALL].end == 2 && rules.of[GUARD_SAME_CALL].tell == 0,
           "a number alone: the end; the default's word would come after it");
        ok(rules.of[GUARD_NO_EDIT].end == 4 && rules.of[GUARD_NO_EDIT].tell == 0,
           "an end, and no word");
        ok(rules.of[GUARD_CLAIMS].end == 9 && rules.of[GUARD_CLAIMS].tell == 2, "both");
        ok(rules.of[GUARD_ALTERNATING].end == 5, "the other stays");
        is_number(rules_of("{\"claims\":{\"end\":3,\"tell\":3}}", &rules), -EINVAL,
                  "a word at the end is none");
}

static void words(void) {
        GuardHit hit = { GUARD_TELL, GUARD_ALTERNATING, 3, 5 };
        char *notice = guards_notice(&hit), reason[256];

        has_text(notice, "the same two calls took turns 3 times in a row",
                 "what the model is told");
        has_text(notice, "At 5 the run ends", "and when it ends");
        free(notice);
        guards_reason(&hit, reason, sizeof(reason));
        has_text(reason, "(alternating: 3 of 5)", "what people are told");
}

int main(void) {
        same_call();
        alternating();
        no_edit();
        lines();
        rules();
        words();
        return tap_end();
}
