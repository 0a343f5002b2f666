#pragma once
/*
 * jail-event: one thing that happened to a jail, its members by its kind, and how it is told.
 */
#include "base/ids.h"
#include "base/json.h"
#include "supervisor/front/jails/jail-book.h"

typedef enum JailEventKind {
        JAIL_EVENT_CREATED = 0,
        JAIL_EVENT_READY,
        JAIL_EVENT_COMMAND_START,
        JAIL_EVENT_COMMAND_END,
        JAIL_EVENT_LIMIT,
        JAIL_EVENT_FROZEN,
        JAIL_EVENT_THAWED,
        JAIL_EVENT_ENDED,
        _JAIL_EVENT_KIND_MAX,
} JailEventKind;

typedef struct JailEvent { /* what its kind does not use is 0; texts are borrowed for the call */
        JailEventKind kind;
        const char *command;  /* COMMAND_*, and LIMIT but for the jail's own */
        Cause cause;          /* COMMAND_END */
        int code, signal;     /* likewise */
        uint64_t wall_usec;   /* likewise */
        Hit limit;            /* LIMIT */
        const char *snapshot; /* CREATED, like the next two */
        const char *policy;
        bool keep;
        JailEnd end;      /* ENDED */
        const char *text; /* ENDED: why it could not be made */
} JailEvent;

typedef struct KeptEvent {
        JailEvent event; /* its texts are in command and texts */
        uint64_t usec;   /* since 1970 */
        uint32_t owner_uid;
        char jail[ID_MAX];
        char command[ID_MAX];
        char *texts; /* owned: snapshot and policy, or text, each with its NUL; NULL: none */
} KeptEvent;

/** kept_event_init() - what happens to @jail now; without memory its texts are lost */
void kept_event_init(KeptEvent *item, const FrontJail *jail, const JailEvent *event);
/** kept_event_deinit() - release it */
void kept_event_deinit(KeptEvent *item);
/** kept_event_json() - as it is told, with its number; NULL: no memory */
cJSON *kept_event_json(const KeptEvent *item, uint64_t seq);
