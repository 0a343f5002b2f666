/*
 * guards. A call is its tool and its arguments as a value: blanks and the order of members make no other one.
 * LIMIT: a model that changes a word of its call each time is not going in circles here; max_turns and the task's
 * budgets end that.
 */
#include "agent/workflow/guards.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define COMPARED_MAX (16 * 1024) /* bytes of arguments */

static const struct {
        const char *seen, *unit; /* around how often */
        const char *advice;
} sentences[_GUARD_MAX] = {
        [GUARD_SAME_CALL] = { "the same call was made", "times in a row",
                              "Its result will not change. Do something else." },
        [GUARD_ALTERNATING] = { "the same two calls took turns", "times in a row",
                                "They lead nowhere. Do something else." },
        [GUARD_NO_EDIT] = { "no file was changed for", "turns",
                            "Make the change now, or say what is in the way." },
        [GUARD_CLAIMS] = { "the step said", "times that it was done, without a verify in between",
                           "Have it verified." },
};

/* ---- shell lines --------------------------------------------------------------------------------- */

/* At the beginning of a word. An interpreter counts where its program stands in the line: it may write anything. */
static const char *const writers[] = {
        "tee ",       "patch ",      "mv ",       "cp ",          "rm ",         "touch ",
        "mkdir ",     "ln ",         "truncate ", "dd ",          "install ",    "sed -i",
        "perl -",     "git apply",   "git reset", "git checkout", "git restore", "git stash",
        "python3 -c", "node -e",     "python -c", "ruby -e",      "apply_patch", "ed ",
        "ex ",        "python3 - <", "awk -i",    NULL,
};

static bool begins_word(const char *line, const char *at) {
        return at == line || (!isalnum((unsigned char) at[-1]) && !strchr("_-./", at[-1]));
}

static bool has_writer(const char *line) {
        for (const char *const *word = writers; *word; word++)
                for (const char *at = line; (at = strstr(at, *word)); at++)
                        if (begins_word(line, at))
                                return true;
        return false;
}

/* A redirection into a file; one to another descriptor or into nothing is none. */
static bool has_redirection(const char *line) {
        for (const char *at = line; (at = strchr(at, '>')); at++) {
                const char *to = at + 1;

                to += *to == '>' || *to == '|';
                to += strspn(to, " \t");
                if (*to && !strchr("&>", *to) && strncmp(to, "/dev/null", 9) != 0)
                        return true;
        }
        return false;
}

bool guards_line_edits(const char *line) {
        return has_redirection(line) || has_writer(line);
}

/* ---- counting ------------------------------------------------------------------------------------ */

void guards_init(Guards *guards, const GuardRules *rules, bool may_edit) {
        *guards = (Guards){ .rules = rules, .may_edit = may_edit };
}

GuardHit guards_count(const GuardRules *rules, Guard guard, unsigned n) {
        const GuardRule *rule = &rules->of[guard];
        GuardHit hit = { .guard = guard, .n = n, .end = rule->end };

        if (n >= rule->end)
                hit.word = GUARD_END;
        else if (n == rule->tell)
                hit.word = GUARD_TELL;
        return hit;
}

static void call_deinit(ToolCall *call) {
        free(call->name);
        free(call->arguments);
        *call = (ToolCall){ 0 };
}

void guards_deinit(Guards *guards) {
        for (unsigned i = 0; i < ELEMENTS(guards->last); i++)
                call_deinit(&guards->last[i]);
}

/* As values, where they are no longer than what a model writes by hand: comparing objects costs the square. */
static bool same_arguments(const char *one, const char *other) {
        SCOPED(json_free) cJSON *a = NULL, *b = NULL;

        if (strcmp(one, other) == 0)
                return true;
        if (strlen(one) > COMPARED_MAX || strlen(other) > COMPARED_MAX ||
            json_parse(one, strlen(one), 0, &a, NULL) < 0 ||
            json_parse(other, strlen(other), 0, &b, NULL) < 0)
                return false;
        return cJSON_Compare(a, b, true);
}

static bool is_last(const Guards *guards, unsigned i, const ToolCall *call) {
        return i < guards->seen && strcmp(guards->last[i].name, call->name) == 0 &&
               same_arguments(guards->last[i].arguments, call->arguments);
}

static int remember(Guards *guards, const ToolCall *call) {
        ToolCall copy = { .name = strdup(call->name), .arguments = strdup(call->arguments) };

        if (!copy.name || !copy.arguments) {
                call_deinit(&copy);
                return -ENOMEM;
        }
        call_deinit(&guards->last[1]);
        guards->last[1] = guards->last[0];
        guards->last[0] = copy;
        guards->seen += guards->seen < ELEMENTS(guards->last);
        return 0;
}

int guards_call(Guards *guards, const ToolCall *call, GuardHit *ret_hit) {
        bool again = is_last(guards, 0, call), turns = !again && is_last(guards, 1, call);

        guards->same = again ? guards->same + 1 : 1;
        guards->alternating = turns ? guards->alternating + 1 : again || guards->seen == 0 ? 1 : 2;
        if (remember(guards, call) < 0)
                return -ENOMEM;
        *ret_hit = guards_count(guards->rules, GUARD_SAME_CALL, guards->same);
        if (ret_hit->word == GUARD_QUIET && guards->alternating % 2 == 0)
                *ret_hit = guards_count(guards->rules, GUARD_ALTERNATING, guards->alternating / 2);
        return 0;
}

static bool bash_edits(const ToolCall *call) {
        SCOPED(json_free) cJSON *arguments = NULL;
        const char *line;

        if (json_parse(call->arguments, strlen(call->arguments), 0, &arguments, NULL) < 0)
                return false;
        line = json_text(arguments, "command");
        return line && guards_line_edits(line);
}

void guards_made(Guards *guards, const ToolCall *call, bool good) {
        static const char *const editors[] = { "write", "edit", "apply_patch" };

        for (unsigned i = 0; good && i < ELEMENTS(editors); i++)
                if (strcmp(call->name, editors[i]) == 0)
                        guards->edited = true;
        if (good && strcmp(call->name, "bash") == 0 && bash_edits(call))
                guards->edited = true;
}

GuardHit guards_turn(Guards *guards) {
        guards->idle = guards->edited || !guards->may_edit ? 0 : guards->idle + 1;
        guards->edited = false;
        return guards_count(guards->rules, GUARD_NO_EDIT, guards->idle);
}

/* ---- words --------------------------------------------------------------------------------------- */

static void say_seen(const GuardHit *hit, char *text, size_t size) {
        (void) snprintf(text, size, "%s %u %s", sentences[hit->guard].seen, hit->n,
                        sentences[hit->guard].unit);
}

char *guards_notice(const GuardHit *hit) {
        char seen[128], *text = NULL;

        say_seen(hit, seen, sizeof(seen));
        if (asprintf(&text, "\n\n[warder: %s. %s At %u the run ends.]", seen,
                     sentences[hit->guard].advice, hit->end) < 0)
                return NULL;
        return text;
}

void guards_reason(const GuardHit *hit, char *text, size_t size) {
        char seen[128];

        say_seen(hit, seen, sizeof(seen));
        (void) snprintf(text, size, "%s (%s: %u of %u)", seen, guard_name(hit->guard), hit->n,
                        hit->end);
}
