#pragma once
/*
 * background: commands of a jail that nobody waits for. Their output is kept by init while they run, and handed over
 * at their end; that, and the record, stay with the jail, the newest of them.
 *
 * One with a terminal may be held by the connection that asked for it, as a shell is by who types at it: where that
 * ends first, the command is ended. Who leaves it before makes it one like the others.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/commands/commands.h"

#define BACKGROUND_ENDED_MAX 32 /* ended ones that a jail remembers */
#define BACKGROUND_KEPT_MAX \
        (8u << 20) /* bytes of their output together: it is init's group's memory */
#define BACKGROUND_KEEP_MAX  (1u << 20) /* of one */
#define BACKGROUND_SHOWN_MAX 160        /* bytes of its words that are shown */

typedef struct Backgrounds Backgrounds; /* of one jail */

/**
 * background_start() - run a command that answers to nobody
 * @spec:   its stdout captured or not at all; output_keep is lowered to BACKGROUND_KEEP_MAX
 * @holder: the connection whose end is its end; NULL: none
 *
 * Returns: 0, its id borrowed; or as command_start().
 */
int background_start(FrontJail *jail, const CommandSpec *spec, Client *holder, const char **ret_id,
                     Error *err);

typedef struct BackgroundLook { /* what is asked about one */
        const char *command;
        bool follow;
        bool keys;              /* who asks types at its terminal, where it has one */
        bool leave;             /* who asks holds it, and does so no more: nothing is handed out */
        uint32_t only;          /* InitLogsOnly */
        uint32_t rows, columns; /* 0: as they are */
} BackgroundLook;

/** background_look() - answer a call of jail.logs and its like, now or later. Returns: 0, or negative errno: it was not answered */
int background_look(FrontJail *jail, Call *call, const BackgroundLook *look, Error *err);

/** backgrounds_describe() - all of them, oldest first, as entries of @list */
void backgrounds_describe(FrontJail *jail, cJSON *list);

/** backgrounds_free() - Returns: NULL */
Backgrounds *backgrounds_free(Backgrounds *backgrounds);
