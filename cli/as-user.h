#pragma once
/*
 * as-user: work done in a child with the rights of the person who called, not of sudo's root. The only
 * file of the command that changes ids, and it only drops them.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define USER_HOME_MAX 256

typedef struct User {
        uid_t uid;
        gid_t gid;
        bool drops;               /* root now, someone else in the child */
        char name[64];            /* "" where the id has no name */
        char home[USER_HOME_MAX]; /* "" likewise */
} User;

/** user_of_caller() - under sudo the person behind it, else who we are */
void user_of_caller(User *ret);

/**
 * user_of_directory() - who shall read a directory: under sudo the person behind it; for root itself the
 * directory's owner; else who we are
 */
void user_of_directory(const char *path, User *ret);

typedef struct UserJob {
        int (*run)(void *arg, void *result, Error *err); /* 0 or negative errno, in the child */
        void *arg;
        void *result; /* filled in the child, copied back where run returned 0; NULL: none */
        size_t result_size;
} UserJob;

/**
 * as_user_call() - run a job in a child with the user's ids, groups and HOME, default signals
 *
 * Descriptors are shared with the child: what it writes to one of ours we can read afterwards.
 *
 * Returns: what the job returned with its err, or -ECHILD where the child died.
 */
int as_user_call(const User *user, const UserJob *job, Error *err);

typedef struct UserWork { /* a job that runs beside us */
        pid_t pid;
        int sock; /* owned */
        UserJob job;
} UserWork;

/**
 * as_user_start() - as_user_call() without waiting; as_user_finish() must follow
 *
 * Returns: 0 or negative errno: then nothing runs. What the job points to must stay until then.
 */
int as_user_start(const User *user, const UserJob *job, UserWork *ret, Error *err);
/** as_user_finish() - wait for it. Returns: as as_user_call() */
int as_user_finish(UserWork *work, Error *err);

/** as_user_open() - open @path with the user's rights. Returns: a descriptor owned by the caller, or negative errno */
int as_user_open(const User *user, const char *path, int flags, Error *err);
