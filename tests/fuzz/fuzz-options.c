/*
 * options: a command line of any words. Input: the words, each ended by a 0 byte.
 */
#include "base/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/owned.h"
#include "tests/fuzz/fuzz.h"

#define WORDS_MAX 80

typedef struct Target {
        bool flag;
        const char *text;
        OptionList list;
        uint64_t size, duration, number, count;
} Target;

static const Option table[] = {
        { "flag", 'f', OPTION_FLAG, offsetof(Target, flag), NULL, "a flag" },
        { "text", 't', OPTION_TEXT, offsetof(Target, text), "TEXT", "a text" },
        { "list", 'l', OPTION_LIST, offsetof(Target, list), "ITEM", "a list" },
        { "size", 's', OPTION_SIZE, offsetof(Target, size), "SIZE", "a size" },
        { "duration", 0, OPTION_DURATION, offsetof(Target, duration), "TIME", "a time" },
        { "number", 'n', OPTION_NUMBER, offsetof(Target, number), "N", "a number" },
        { "count", 0, OPTION_COUNT, offsetof(Target, count), "N", "a count" },
        { 0 },
};

static void must(bool good) {
        if (!good)
                abort();
}

static void parse(char **words, int n, bool stop_at_word) {
        Target target = { 0 };
        char *argv[WORDS_MAX + 2];
        Error err = ERROR_EMPTY;
        int rest = 0;

        memcpy(argv, words, sizeof(argv));
        if (options_parse(table, n, argv, stop_at_word, &target, &rest, &err) < 0) {
                must(err.text[0]);
                return;
        }
        must(rest >= 0 && rest <= n && target.list.n <= OPTION_LIST_MAX);
        for (int i = rest; i < n; i++)
                must(argv[i] != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        autofree char *bytes = calloc(1, n + 1);
        char *words[WORDS_MAX + 2] = { 0 };
        int count = 1;
        size_t at;

        must(bytes != NULL);
        memcpy(bytes, data, n);
        words[0] = bytes + n; /* the program's name */
        for (at = 0; at < n && count < WORDS_MAX; at += strlen(bytes + at) + 1)
                words[count++] = bytes + at;
        parse(words, count, false);
        parse(words, count, true);
        return 0;
}
