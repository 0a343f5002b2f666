#pragma once
/*
 * doctor-find: a check of the host as a row, and the ways to look that many rows share.
 */
#include <stdbool.h>

#define FOUND_MAX 128

typedef enum State {
        STATE_OK,
        STATE_MISSING,
        STATE_WEAK,    /* it is not as it should be, jails are made all the same */
        STATE_UNKNOWN, /* the caller may not see it, or it cannot be told */
        _STATE_MAX
} State;

typedef struct Check Check;

/* @found: FOUND_MAX bytes, what was seen, for people */
typedef State (*CheckFn)(const Check *check, char *found);

struct Check {
        const char *name;
        CheckFn run;
        bool required;      /* by every jail */
        const char *cost;   /* of its absence */
        const char *remedy; /* what to do */
        long number;        /* of a system call */
        const char *path;   /* of a setting, a file, or a word to look for */
        const char *good;   /* values of a setting, one letter each */
};

/** found_set() - write what was found, cut to FOUND_MAX */
void found_set(char *found, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** find_call() - the row's call with arguments that it refuses: any answer but ENOSYS says that it is there */
State find_call(const Check *check, char *found);

/** find_file() - is the row's path there */
State find_file(const Check *check, char *found);

/** find_setting() - is the file's one letter among the good ones; a file that is absent is unknown */
State find_setting(const Check *check, char *found);

/** find_line() - does a line of @path hold @part. Returns: STATE_OK, STATE_MISSING, STATE_UNKNOWN without the file */
State find_line(const char *path, const char *part, char *found);

/** find_first_line() - the first line of @path without its end. Returns: is it there */
bool find_first_line(const char *path, char *line, int n);
