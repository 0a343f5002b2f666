#pragma once
/*
 * ceilings: /etc/warder/ceilings.json as a value: the most that a user's jails may have each (limits,
 * command), the most that a user may have together (quotas), and when the host is full (host). No side
 * effects; ceilings-file.h keeps the one that is in force.
 *
 * Which entry wins, field by field: the user's own; else, of all groups of the caller that say something
 * about this field, the most generous; else "default"; else what is built in. Root (user id 0) has no
 * ceiling but those under users.0, and so has the caller of a private supervisor.
 */
#include "base/json.h"
#include "supervisor/wire.h"

#define CEILINGS_NAME       "ceilings.json"
#define CEILINGS_TEXT_MAX   (1024 * 1024)
#define CEILING_NONE        UINT64_MAX /* no ceiling */
#define CEILING_SOURCE_MAX  64
#define CEILING_GROUPS_MAX  1024 /* groups of one caller that are looked at */
#define CEILING_ENTRIES_MAX 4096 /* users and groups in the file */

typedef enum CeilingField {
        CEILING_LIMITS_MEMORY = 0, /* bytes, as all sizes */
        CEILING_LIMITS_MEMORY_HIGH,
        CEILING_LIMITS_PIDS,
        CEILING_LIMITS_CPU,     /* per mille of one processor */
        CEILING_LIMITS_IO_READ, /* bytes a second */
        CEILING_LIMITS_IO_WRITE,
        CEILING_LIMITS_DISK,
        CEILING_LIMITS_INODES,
        CEILING_LIMITS_WALL, /* microseconds, as all durations */
        CEILING_LIMITS_OUTPUT_KEEP,
        CEILING_LIMITS_OUTPUT_MAX,
        CEILING_COMMAND_MEMORY,
        CEILING_COMMAND_PIDS,
        CEILING_COMMAND_WALL,
        CEILING_COMMAND_CPU_TIME,
        CEILING_COMMAND_NOFILE,
        CEILING_COMMAND_FSIZE,
        QUOTA_JAILS, /* from here on: sums over what one user has */
        QUOTA_MEMORY,
        QUOTA_PIDS,
        QUOTA_CPU,
        QUOTA_DISK,
        QUOTA_TASKS,
        QUOTA_CREATES,
        QUOTA_SNAPSHOTS,
        QUOTA_SNAPSHOT_DISK,
        QUOTA_WORKSPACES,
        QUOTA_WORKSPACE_DISK,
        _CEILING_FIELD_MAX,
} CeilingField;

typedef enum CeilingScope {
        CEILING_BUILT_IN = 0,
        CEILING_DEFAULT,
        CEILING_GROUP,
        CEILING_USER,
} CeilingScope;

typedef struct CeilingValue {
        uint64_t value; /* CEILING_NONE: as much as a policy gives */
        CeilingScope scope;
        uint32_t id;   /* of the user or group that the entry is for */
        unsigned line; /* in the file; 0: built in */
} CeilingValue;

typedef struct Ceiling { /* of one caller */
        CeilingValue items[_CEILING_FIELD_MAX];
} Ceiling;

typedef struct CeilingWho { /* borrowed */
        uint32_t uid;
        const uint32_t *gids; /* sorted, the primary one too */
        unsigned n_gids;
} CeilingWho;

typedef struct HostRules {      /* when the host is full; what is 0 is not looked at */
        uint64_t jails;         /* alive at once */
        uint64_t reserve;       /* bytes that must stay available on the host */
        uint64_t memory;        /* bytes that the memory limits of all jails may sum to */
        uint32_t pressure[3];   /* percent of PSI's some avg10: enum Resource */
        uint64_t queue;         /* creates that may wait */
        uint64_t queue_per_uid; /* of one user */
        uint64_t wait_usec;     /* that one may wait */
} HostRules;

typedef struct Ceilings Ceilings; /* a file's content */

/**
 * ceilings_new() - read a ceilings file
 * @text: the file, @n bytes
 *
 * Returns: 0, -ENOMEM, or -EINVAL with file, line, field and reason.
 */
int ceilings_new(const char *text, size_t n, Ceilings **ret, Error *err);
/** ceilings_free() - NULL is fine. Returns: NULL */
Ceilings *ceilings_free(Ceilings *ceilings);

/** ceilings_of() - what holds for a caller; @ceilings NULL: there is no file */
void ceilings_of(const Ceilings *ceilings, const FrontInfo *info, const CeilingWho *who,
                 Ceiling *ret);
/** ceilings_host() - when the host is full; @ceilings NULL: there is no file */
void ceilings_host(const Ceilings *ceilings, const FrontInfo *info, HostRules *ret);

/** ceiling_get() - by the names of a policy file, "limits", "memory"; borrowed; NULL: such a field has no ceiling */
const CeilingValue *ceiling_get(const Ceiling *ceiling, const char *object, const char *name);
/** ceiling_source() - "ceilings.json:12, groups.27" into @text of CEILING_SOURCE_MAX. Returns: @text */
const char *ceiling_source(const CeilingValue *value, char *text);
/** ceiling_field_name() - "quotas.memory", static text */
const char *ceiling_field_name(CeilingField field);
