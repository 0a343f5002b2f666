#pragma once
/*
 * inject-client: what a client asks in one round of inject: a step of a work, as inject-work has them.
 */
#include <stdbool.h>
#include <sys/types.h>

typedef struct InjectClient {
        const char *
                dir; /* borrowed: of the bench; the socket is in its run/, the words come to words */
        const char *build;  /* borrowed: where the programs are */
        const char *source; /* borrowed */
        const char *work;   /* borrowed */
} InjectClient;

/** inject_client_prepare() - the archives that are imported. Returns: false where they cannot be made */
bool inject_client_prepare(const InjectClient *client);

/** inject_client_start() - @step: ready, round or check. Returns: its pid, negative where it cannot be started */
pid_t inject_client_start(const InjectClient *client, const char *step);

/** inject_client_words() - the first line that it said; @n: bytes of @ret */
void inject_client_words(const InjectClient *client, char *ret, size_t n);
