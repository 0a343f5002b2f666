#pragma once
/*
 * options: command lines from a table. One row an option; help text and parsing come from the same row.
 * Long options only have one form: --name VALUE or --name=VALUE; a row may have one short letter.
 * Parsing stops at "--" or, for verbs that run a command, at the first word that is no option.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum OptionKind {
        OPTION_FLAG,     /* bool *, set true */
        OPTION_TEXT,     /* const char **, borrowed from argv */
        OPTION_LIST,     /* OptionList * */
        OPTION_SIZE,     /* uint64_t *, bytes, not 0 */
        OPTION_DURATION, /* uint64_t *, microseconds, not 0 */
        OPTION_NUMBER,   /* uint64_t * */
        OPTION_COUNT,    /* uint64_t *, not 0 */
} OptionKind;

#define OPTION_LIST_MAX 64

typedef struct OptionList {
        const char *items[OPTION_LIST_MAX]; /* borrowed from argv */
        unsigned n;
} OptionList;

typedef struct Option {
        const char *name; /* without the dashes; NULL ends the table */
        char letter;      /* 0: none */
        OptionKind kind;
        size_t offset;     /* of the field in the verb's own struct */
        const char *value; /* name of the value in --help, NULL for flags */
        const char *help;  /* one sentence */
} Option;

/**
 * options_parse() - fill @target from argv
 * @stop_at_word: the first word that is no option ends parsing (run, exec)
 * @ret_rest:     index in @argv of the first word that is left; words before options are not reordered
 *                past it
 *
 * Without @stop_at_word, words are moved behind the options, in order, so that argv[*ret_rest..] are all
 * the words. An unknown option's error names the nearest known one.
 *
 * Returns: 0 or -EINVAL with a sentence.
 */
int options_parse(const Option *table, int argc, char **argv, bool stop_at_word, void *target,
                  int *ret_rest, Error *err);

/** options_help() - the rows as an aligned block of text, fresh memory (free()); NULL: no memory */
char *options_help(const Option *table);
