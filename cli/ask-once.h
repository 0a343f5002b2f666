#pragma once
/*
 * ask-once: for verbs that are one question: connect, ask, show the answer.
 */
#include "cli/link.h"
#include "cli/verbs.h"

typedef void (*ShowFn)(const cJSON *result);

/**
 * ask_once() - ask and show
 * @params: consumed
 * @show:   for people; with --json the result itself is printed. NULL: nothing is said
 *
 * Returns: 0 or negative errno.
 */
int ask_once(const Common *common, const char *method, cJSON *params, ShowFn show, Error *err);

/**
 * ask_pages() - link_ask(), and on for as long as there is more
 * @ask: as there; asked again with each page's "next"
 * @ret_answer: the first page's, whose lists go on with those of the others
 *
 * Returns: as link_ask().
 */
int ask_pages(Link *link, Ask *ask, Answer *ret_answer, Error *err);

typedef struct NamedAsk {
        const char *method;
        const char *member;
        const char *what; /* for the sentence: "a jail" */
        ShowFn show;
        char prefix; /* of an id that the word must be; 0: a name */
} NamedAsk;

/** ask_named() - the same with {@member: the call's only word}. Returns: as ask_once(), VERB_E_USAGE */
int ask_named(const VerbCall *call, const NamedAsk *named, Error *err);

typedef struct ShownColumn {
        const char *title;
        const char *member;
        int width; /* 0: as wide as it is, for the last one */
        void (*show)(const cJSON *object, const char *member, int width); /* NULL: show_text() */
} ShownColumn;

/** show_columns() - an object as a line; the row of @columns behind the last one has no title */
void show_columns(const cJSON *object, const ShownColumn *columns);

/** show_table() - the titles, and a line for each object of a list */
void show_table(const cJSON *list, const ShownColumn *columns);

/** show_time() - a time of the protocol: microseconds since 1970 or text, on stdout, @width wide */
void show_time(const cJSON *object, const char *member, int width);

/** show_size() - a number of bytes on stdout, @width wide */
void show_size(const cJSON *object, const char *member, int width);

/** show_text() - a text member, escaped, on stdout, @width wide */
void show_text(const cJSON *object, const char *member, int width);
