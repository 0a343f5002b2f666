#pragma once
/*
 * Error: the reason of a failure as a fixed-size value owned by the caller. It allocates nothing, so it
 * works when memory is gone and between clone and exec, and it is written whole to a report pipe.
 */
#define ERROR_TEXT_MAX 512

typedef struct Error {
        int code;                  /* negative errno, 0 while unset */
        unsigned mark;             /* by which whoever set it knows it again; 0: nobody does */
        char text[ERROR_TEXT_MAX]; /* outermost step first, cause last; always terminated */
} Error;

#define ERROR_EMPTY ((Error){ 0 })

/**
 * error_set() - record a failed system call
 * @err:    where to, may be NULL
 * @code:   negative errno
 * @format: what was tried, to what; ": " and the text of @code are appended
 *
 * Returns: @code.
 */
int error_set(Error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/**
 * error_say() - record a failure in our own words, without the text of errno
 * @err:    where to, may be NULL
 * @code:   negative errno, for the class of failure
 * @format: a sentence that says what happened, to what, why, what to do
 *
 * Returns: @code.
 */
int error_say(Error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/**
 * error_add() - put an outer step before the reason that is already there
 * @err:    where to, may be NULL
 * @code:   what to return
 * @format: the outer step; ": " and the old text follow
 *
 * The mark stays: it is still the same failure.
 *
 * Returns: @code.
 */
int error_add(Error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
