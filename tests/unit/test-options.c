/* options: what a user mistypes, and where words and options may stand. */
#include "base/options.h"

#include <errno.h>
#include <stdlib.h>

#include "base/owned.h"
#include "tests/tap.h"

#define ARGV_MAX 12

typedef struct Verb {
        bool json;
        const char *policy;
        OptionList env;
        uint64_t memory, wall, count;
} Verb;

static const Option table[] = {
        { "json", 'j', OPTION_FLAG, offsetof(Verb, json), NULL, "print JSON" },
        { "policy", 0, OPTION_TEXT, offsetof(Verb, policy), "NAME", "choose a policy" },
        { "env", 'e', OPTION_LIST, offsetof(Verb, env), "K=V", "set a variable" },
        { "memory", 0, OPTION_SIZE, offsetof(Verb, memory), "SIZE", "limit memory" },
        { "time", 0, OPTION_DURATION, offsetof(Verb, wall), "TIME", "limit time" },
        { "count", 0, OPTION_NUMBER, offsetof(Verb, count), "N", "how many" },
        { "pids", 0, OPTION_COUNT, offsetof(Verb, count), "N", "limit processes" },
        { 0 },
};

typedef struct Parsed {
        Verb verb;
        Error err;
        int result, rest, argc;
        char *argv[ARGV_MAX + 1];
} Parsed;

/* Splits @line at blanks and parses it; @text keeps the words. */
static Parsed parse(char *text, size_t size, const char *line, bool stop) {
        Parsed p = { .rest = -1 };
        char *at = text, *word;

        (void) snprintf(text, size, "verb %s", line);
        while ((word = strsep(&at, " ")) && p.argc < ARGV_MAX)
                if (*word)
                        p.argv[p.argc++] = word;
        p.result = options_parse(table, p.argc, p.argv, stop, &p.verb, &p.rest, &p.err);
        return p;
}

static void refused(const char *line, const char *want) {
        char text[256];
        Parsed p = parse(text, sizeof(text), line, false);

        is_number(p.result, -EINVAL, line);
        has_text(p.err.text, want, "with its sentence");
}

static void mistakes(void) {
        refused("--memroy 5", "unknown option --memroy: did you mean --memory?");
        refused("--frob 5", "unknown option --frob: --help lists those there are");
        refused("--zzzzzz", "unknown option --zzzzzz: --help lists");
        refused("--memory", "--memory needs a value: SIZE");
        refused("--memory -- true", "--memory needs a value: SIZE");
        refused("--memory 5x", "--memory: \"5x\" is no size");
        refused("--time soon", "--time: \"soon\" is no duration");
        refused("--count -1", "--count: \"-1\" is no number");
        refused("--memory 0", "--memory: must be more than 0");
        refused("--time 0s", "--time: must be more than 0");
        refused("--pids 0", "--pids: must be more than 0");
        refused("--json=yes", "--json takes no value");
        refused("-x", "unknown option -x");
        refused("-jx", "unknown option -jx");
        refused("--policyname x", "unknown option --policyname");
        refused("--=x", "unknown option --");
}

static void list_has_a_maximum(void) {
        static char verb_word[] = "verb", letter[] = "-e", value[] = "A=b";
        char *argv[2 * OPTION_LIST_MAX + 4] = { verb_word };
        Verb verb = { 0 };
        Error err = ERROR_EMPTY;
        int argc = 1, rest;

        while (argc <= 2 * (OPTION_LIST_MAX + 1)) {
                argv[argc++] = letter;
                argv[argc++] = value;
        }
        is_number(options_parse(table, argc, argv, false, &verb, &rest, &err), -EINVAL,
                  "one more than a list holds");
        has_text(err.text, "--env: given more than 64 times", "is named");
}

static void every_kind(void) {
        char text[256];
        Parsed p = parse(text, sizeof(text),
                         "-j --policy strict --memory=2G --time 10m --count 3 -e A=1 --env=B=2",
                         false);

        is_number(p.result, 0, "all kinds");
        ok(p.verb.json, "flag");
        is_text(p.verb.policy, "strict", "text");
        is_number(p.verb.memory, 2LL << 30, "size after =");
        is_number(p.verb.wall, 600000000, "duration");
        is_number(p.verb.count, 3, "number");
        is_number(p.verb.env.n, 2, "two of a list");
        is_text(p.verb.env.items[1], "B=2", "a value with an equals sign");
        is_number(p.rest, p.argc, "no words are left");
}

static void words_move_behind(void) {
        char text[256];
        Parsed p = parse(text, sizeof(text), "a --policy x b -j c -- -d --json", false);

        is_number(p.result, 0, "words between options");
        is_number(p.argc - p.rest, 5, "five words");
        is_text(p.argv[p.rest], "a", "first");
        is_text(p.argv[p.rest + 2], "c", "in order");
        is_text(p.argv[p.rest + 3], "-d", "what stands behind -- is a word");
        is_text(p.argv[p.rest + 4], "--json", "to the last");
        is_text(p.verb.policy, "x", "the options between them were read");
}

static void commands_keep_their_options(void) {
        char text[256];
        Parsed p = parse(text, sizeof(text), "--policy x ls --json -- -l", true);

        is_number(p.result, 0, "run --policy x ls --json -- -l");
        ok(!p.verb.json, "--json belongs to ls");
        is_number(p.argc - p.rest, 4, "four words for the command");
        is_text(p.argv[p.rest], "ls", "from its name on");
        p = parse(text, sizeof(text), "-j -- --json", true);
        is_text(p.argv[p.rest], "--json", "behind -- everything is the command's");
}

static void lone_dash_is_a_word(void) {
        char text[256];
        Parsed p = parse(text, sizeof(text), "- -j", false);

        is_number(p.result, 0, "a lone dash");
        is_text(p.argv[p.rest], "-", "is a word");
        ok(p.verb.json, "and options go on behind it");
}

static void help_is_aligned(void) {
        autofree char *help = options_help(table);

        has_text(help, "  -j, --json         print JSON\n", "a flag with a letter");
        has_text(help, "      --policy NAME  choose a policy\n", "an option with a value");
}

int main(void) {
        mistakes();
        list_has_a_maximum();
        every_kind();
        words_move_behind();
        commands_keep_their_options();
        lone_dash_is_a_word();
        help_is_aligned();
        return tap_end();
}
