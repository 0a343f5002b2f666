#pragma once
/*
 * git: git run directly, without a shell, without the caller's GIT_* environment, without hooks, file
 * system monitors, pagers or anything that asks. Only to be used in a child of as_user_call().
 */
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct Git { /* all borrowed */
        const char *dir;
        const char *index;      /* GIT_INDEX_FILE; NULL: the repository's */
        const char *objects;    /* where new objects go; NULL: the repository's */
        const char *alternates; /* read besides @objects */
        const char *const *config; /* "-c", "name=value", …, NULL; may be NULL: nothing more */
} Git;

typedef struct GitProcess {
        pid_t pid;
        int errors; /* what git said on stderr, owned */
        const char *what;
} GitProcess;

#define GIT_ARGS_MAX   48
#define GIT_CONFIG_MAX 192

/**
 * git_start() - run git with @args (NULL-terminated)
 * @in, @out: its stdin and stdout, borrowed; negative: /dev/null
 *
 * Returns: 0 or negative errno. git_finish() it.
 */
int git_start(const Git *git, const char *const *args, const int io[2], GitProcess *ret,
              Error *err);

/** git_finish() - wait. Returns: 0; -EREMOTEIO with git's own first line where it failed */
int git_finish(GitProcess *process, Error *err);

/** git_read() - run git and take what it prints, at most GIT_READ_MAX bytes, owned by the caller */
int git_read(const Git *git, const char *const *args, char **ret_text, size_t *ret_n, Error *err);

/** git_to_fd() - run git with stdout on @out. Returns: 0 or negative errno */
int git_to_fd(const Git *git, const char *const *args, int out, Error *err);
