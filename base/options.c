/*
 * options: see options.h. argv[0] is the program or the verb; options and words start at argv[1].
 */
#include "base/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/owned.h"
#include "base/units.h"

#define HELP_MAX   (64 * 1024)
#define NAME_BYTES 64 /* longest name that is compared when looking for the nearest one */
#define NEAR       3  /* edits, at most, between a typo and what was meant */

/* What parsing carries along: the words that stand between first_word and at were moved behind. */
typedef struct Parse {
        const Option *table;
        char **argv;
        int argc;
        int first_word;
        int at;
        void *target;
} Parse;

static unsigned smallest(unsigned a, unsigned b, unsigned c) {
        unsigned least = a < b ? a : b;

        return least < c ? least : c;
}

/* Edits that turn @a into @b (Levenshtein, one row). */
static unsigned distance(const char *a, size_t n_a, const char *b) {
        unsigned row[NAME_BYTES + 1];
        size_t n_b = strlen(b), i, j;

        if (n_b > NAME_BYTES)
                return UINT32_MAX;
        for (j = 0; j <= n_b; j++)
                row[j] = (unsigned) j;
        for (i = 1; i <= n_a; i++) {
                unsigned diagonal = row[0];

                row[0] = (unsigned) i;
                for (j = 1; j <= n_b; j++) {
                        unsigned change = diagonal + (a[i - 1] != b[j - 1]);

                        diagonal = row[j];
                        row[j] = smallest(change, row[j] + 1, row[j - 1] + 1);
                }
        }
        return row[n_b];
}

static int refuse_unknown(const Option *table, const char *name, size_t n, Error *err) {
        const Option *option, *nearest = NULL;
        unsigned best = NEAR + 1;

        for (option = table; n <= NAME_BYTES && option->name; option++) {
                unsigned edits = distance(name, n, option->name);

                if (edits < best && 2 * edits <= n) {
                        best = edits;
                        nearest = option;
                }
        }
        if (nearest)
                return error_say(err, -EINVAL, "unknown option --%.*s: did you mean --%s?", (int) n,
                                 name, nearest->name);
        return error_say(err, -EINVAL, "unknown option --%.*s: --help lists those there are",
                         n > NAME_BYTES ? NAME_BYTES : (int) n, name);
}

static const Option *find_long(const Option *table, const char *name, size_t n) {
        for (; table->name; table++)
                if (strlen(table->name) == n && memcmp(table->name, name, n) == 0)
                        return table;
        return NULL;
}

static const Option *find_letter(const Option *table, char letter) {
        for (; table->name; table++)
                if (table->letter && table->letter == letter)
                        return table;
        return NULL;
}

static int append_item(OptionList *list, const char *value, Error *err) {
        if (list->n == OPTION_LIST_MAX)
                return error_say(err, -E2BIG, "given more than %d times", OPTION_LIST_MAX);
        list->items[list->n++] = value;
        return 0;
}

/* A limit that is 0 would read as one that was not given, and be none */
static int refuse_zero(int r, const uint64_t *field, Error *err) {
        return r == 0 && *field == 0 ? error_say(err, -EINVAL, "must be more than 0") : r;
}

/* Writes one value to the field of the option's kind. */
static int store(const Option *option, const char *value, void *target, Error *err) {
        void *field = (char *) target + option->offset;
        int r = 0;

        switch (option->kind) {
        case OPTION_FLAG:
                *(bool *) field = true;
                break;
        case OPTION_TEXT:
                *(const char **) field = value;
                break;
        case OPTION_LIST:
                r = append_item(field, value, err);
                break;
        case OPTION_SIZE:
                r = refuse_zero(units_parse_size(value, field, err), field, err);
                break;
        case OPTION_DURATION:
                r = refuse_zero(units_parse_duration(value, field, err), field, err);
                break;
        case OPTION_NUMBER:
                r = units_parse_number(value, field, err);
                break;
        case OPTION_COUNT:
                r = refuse_zero(units_parse_number(value, field, err), field, err);
                break;
        }
        return r < 0 ? error_add(err, -EINVAL, "--%s", option->name) : 0;
}

/* Takes @slots words of argv for an option: moves the plain words before them behind them. */
static void take_slots(Parse *p, int slots) {
        char *taken[2];
        size_t words = (size_t) (p->at - p->first_word);

        memcpy(taken, p->argv + p->at, sizeof(char *) * (size_t) slots);
        memmove(p->argv + p->first_word + slots, p->argv + p->first_word, sizeof(char *) * words);
        memcpy(p->argv + p->first_word, taken, sizeof(char *) * (size_t) slots);
        p->first_word += slots;
        p->at += slots;
}

static int use(Parse *p, const Option *option, const char *inline_value, Error *err) {
        const char *value = inline_value;
        int slots = 1;
        int r;

        if (option->kind == OPTION_FLAG && inline_value)
                return error_say(err, -EINVAL, "--%s takes no value", option->name);
        if (option->kind != OPTION_FLAG && !inline_value) {
                if (p->at + 1 >= p->argc || strcmp(p->argv[p->at + 1], "--") == 0)
                        return error_say(err, -EINVAL, "--%s needs a value: %s", option->name,
                                         option->value);
                value = p->argv[p->at + 1];
                slots = 2;
        }
        r = store(option, value, p->target, err);
        if (r < 0)
                return r;
        take_slots(p, slots);
        return 0;
}

static int parse_long(Parse *p, const char *name, Error *err) {
        const char *equals = strchr(name, '=');
        size_t n = equals ? (size_t) (equals - name) : strlen(name);
        const Option *option = find_long(p->table, name, n);

        if (!option)
                return refuse_unknown(p->table, name, n, err);
        return use(p, option, equals ? equals + 1 : NULL, err);
}

static int parse_letter(Parse *p, const char *word, Error *err) {
        const Option *option = find_letter(p->table, word[1]);

        if (!option || word[2] != 0)
                return error_say(err, -EINVAL, "unknown option %.40s: --help lists those there are",
                                 word);
        return use(p, option, NULL, err);
}

int options_parse(const Option *table, int argc, char **argv, bool stop_at_word, void *target,
                  int *ret_rest, Error *err) {
        Parse p = { .table = table,
                    .argv = argv,
                    .argc = argc,
                    .first_word = 1,
                    .at = 1,
                    .target = target };
        int r;

        while (p.at < argc) {
                const char *word = argv[p.at];

                if (strcmp(word, "--") == 0) {
                        take_slots(&p, 1);
                        break;
                }
                if (word[0] != '-' || word[1] == 0) {
                        if (stop_at_word)
                                break;
                        p.at++;
                        continue;
                }
                r = word[1] == '-' ? parse_long(&p, word + 2, err) : parse_letter(&p, word, err);
                if (r < 0)
                        return r;
        }
        *ret_rest = p.first_word < argc ? p.first_word : argc;
        return 0;
}

static size_t left_width(const Option *option) {
        return strlen(option->name) + (option->value ? 1 + strlen(option->value) : 0);
}

static int append_row(Buf *text, const Option *option, size_t width) {
        char letter[] = "    ";

        if (option->letter) {
                letter[0] = '-';
                letter[1] = option->letter;
                letter[2] = ',';
        }
        return buf_printf(text, "  %s--%s%s%s%*s  %s\n", letter, option->name,
                          option->value ? " " : "", option->value ? option->value : "",
                          (int) (width - left_width(option)), "", option->help);
}

char *options_help(const Option *table) {
        autobuf Buf text = BUF_EMPTY(HELP_MAX);
        const Option *option;
        size_t width = 0;

        for (option = table; option->name; option++)
                if (left_width(option) > width)
                        width = left_width(option);
        for (option = table; option->name; option++)
                if (append_row(&text, option, width) < 0)
                        return NULL;
        return buf_take(&text);
}
