#pragma once
/*
 * inject-client: what a client asks in one round of inject: a command, or an import; or whether the store is whole.
 */
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct InjectClient {
        const char *
                dir; /* borrowed: of the bench; the socket is in its run/, the words come to words */
        const char *build; /* borrowed: where the programs are */
        bool is_import;
        bool is_check; /* no layer is damaged or unknown, and the snapshot is whole or not there */
} InjectClient;

/** inject_client_prepare() - the archive that is imported. Returns: false where it cannot be made */
bool inject_client_prepare(const InjectClient *client);

/** inject_client_start() - Returns: its pid, negative where it cannot be started */
pid_t inject_client_start(const InjectClient *client);

/** inject_client_words() - the first line that it said; @n: bytes of @ret */
void inject_client_words(const InjectClient *client, char *ret, size_t n);

/**
 * inject_client_left() - layers of the store, of all kinds, that are there
 *
 * A run whose answer was lost has its snapshot; the next one removes it first.
 */
unsigned inject_client_left(const InjectClient *client);
