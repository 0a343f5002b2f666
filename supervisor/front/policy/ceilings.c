/*
 * ceilings: see ceilings.h. A file is kept as one entry a user, group, or default, each with all fields;
 * users and groups are sorted by number, so that a caller's groups are looked up, not compared.
 */
#include "supervisor/front/policy/ceilings.h"

#include <stdio.h>
#include <string.h>

#include "base/json-line.h"
#include "base/schema.h"
#include "base/units.h"
#include "supervisor/front/ceilings-schema.h"

#define GIB (1ull << 30)

typedef enum ValueKind { VALUE_SIZE, VALUE_DURATION, VALUE_NUMBER, VALUE_SHARE } ValueKind;

typedef struct FieldRow {
        const char *object;
        const char *name;
        const char *both;
        ValueKind kind;
} FieldRow;

#define ROW(OBJECT, NAME, KIND) \
        { OBJECT, NAME, OBJECT "." NAME, KIND }

static const FieldRow rows[_CEILING_FIELD_MAX] = {
        [CEILING_LIMITS_MEMORY] = ROW("limits", "memory", VALUE_SIZE),
        [CEILING_LIMITS_MEMORY_HIGH] = ROW("limits", "memory_high", VALUE_SIZE),
        [CEILING_LIMITS_PIDS] = ROW("limits", "pids", VALUE_NUMBER),
        [CEILING_LIMITS_CPU] = ROW("limits", "cpu", VALUE_SHARE),
        [CEILING_LIMITS_IO_READ] = ROW("limits", "io_read", VALUE_SIZE),
        [CEILING_LIMITS_IO_WRITE] = ROW("limits", "io_write", VALUE_SIZE),
        [CEILING_LIMITS_DISK] = ROW("limits", "disk", VALUE_SIZE),
        [CEILING_LIMITS_INODES] = ROW("limits", "inodes", VALUE_NUMBER),
        [CEILING_LIMITS_WALL] = ROW("limits", "wall", VALUE_DURATION),
        [CEILING_LIMITS_OUTPUT_KEEP] = ROW("limits", "output_keep", VALUE_SIZE),
        [CEILING_LIMITS_OUTPUT_MAX] = ROW("limits", "output_max", VALUE_SIZE),
        [CEILING_COMMAND_MEMORY] = ROW("command", "memory", VALUE_SIZE),
        [CEILING_COMMAND_PIDS] = ROW("command", "pids", VALUE_NUMBER),
        [CEILING_COMMAND_WALL] = ROW("command", "wall", VALUE_DURATION),
        [CEILING_COMMAND_CPU_TIME] = ROW("command", "cpu_time", VALUE_DURATION),
        [CEILING_COMMAND_NOFILE] = ROW("command", "nofile", VALUE_NUMBER),
        [CEILING_COMMAND_FSIZE] = ROW("command", "fsize", VALUE_SIZE),
        [QUOTA_JAILS] = ROW("quotas", "jails", VALUE_NUMBER),
        [QUOTA_MEMORY] = ROW("quotas", "memory", VALUE_SIZE),
        [QUOTA_PIDS] = ROW("quotas", "pids", VALUE_NUMBER),
        [QUOTA_CPU] = ROW("quotas", "cpu", VALUE_SHARE),
        [QUOTA_DISK] = ROW("quotas", "disk", VALUE_SIZE),
        [QUOTA_TASKS] = ROW("quotas", "tasks", VALUE_NUMBER),
        [QUOTA_CREATES] = ROW("quotas", "creates_per_minute", VALUE_NUMBER),
        [QUOTA_SNAPSHOTS] = ROW("quotas", "snapshots", VALUE_NUMBER),
        [QUOTA_SNAPSHOT_DISK] = ROW("quotas", "snapshot_disk", VALUE_SIZE),
        [QUOTA_WORKSPACES] = ROW("quotas", "workspaces", VALUE_NUMBER),
        [QUOTA_WORKSPACE_DISK] = ROW("quotas", "workspace_disk", VALUE_SIZE),
};

typedef struct Entry {
        CeilingScope scope;
        uint32_t id;
        uint64_t values[_CEILING_FIELD_MAX]; /* CEILING_NONE: nothing said */
        unsigned lines[_CEILING_FIELD_MAX];
} Entry;

typedef struct List {
        Entry *items; /* owned, sorted by id */
        unsigned n;
} List;

typedef struct Said { /* of "host"; CEILING_NONE: nothing said */
        uint64_t jails, reserve, memory_permille;
        uint64_t pressure[3];
        uint64_t queue, queue_per_uid, wait_usec;
} Said;

struct Ceilings {
        Entry common;
        List users, groups;
        Said host;
};

typedef struct Reading { /* the file while it is read */
        const char *text;
        size_t n;
        const cJSON *json;
} Reading;

/* ---- reading ------------------------------------------------------------------------------------- */

static int wrong(const Reading *reading, const char *pointer, const char *text, Error *err) {
        return json_line_error(err, CEILINGS_NAME, json_line(reading->text, reading->n, pointer),
                               pointer, text);
}

static int parse_value(ValueKind kind, const char *text, uint64_t *ret, Error *err) {
        uint32_t share;
        int r;

        if (kind == VALUE_SIZE)
                return units_parse_size(text, ret, err);
        if (kind == VALUE_DURATION)
                return units_parse_duration(text, ret, err);
        r = units_parse_share(text, &share, err);
        if (r >= 0)
                *ret = share;
        return r;
}

/* The member at @pointer, in bytes, microseconds or per mille; @ret is left alone where there is none. */
static int read_value(const Reading *reading, const char *pointer, ValueKind kind, uint64_t *ret,
                      Error *err) {
        const cJSON *item = json_at(reading->json, pointer);
        Error own = ERROR_EMPTY;
        uint64_t value = 0;

        if (!item)
                return 0;
        if (cJSON_IsNumber(item)) /* a whole number in bounds, says the schema */
                value = (uint64_t) item->valuedouble;
        else if (parse_value(kind, item->valuestring, &value, &own) < 0)
                return wrong(reading, pointer, own.text, err);
        if (value == CEILING_NONE)
                return wrong(reading, pointer, "is out of range", err);
        *ret = value;
        return 0;
}

static int read_entry(const Reading *reading, const char *at, Entry *entry, Error *err) {
        char pointer[SCHEMA_PATH_MAX];

        for (unsigned i = 0; i < _CEILING_FIELD_MAX; i++) {
                int r;

                (void) snprintf(pointer, sizeof pointer, "%s/%s/%s", at, rows[i].object,
                                rows[i].name);
                entry->values[i] = CEILING_NONE;
                r = read_value(reading, pointer, rows[i].kind, &entry->values[i], err);
                if (r < 0)
                        return r;
                if (entry->values[i] != CEILING_NONE)
                        entry->lines[i] = json_line(reading->text, reading->n, pointer);
                if (i < QUOTA_JAILS && entry->values[i] == 0)
                        return wrong(reading, pointer, "must be more than 0", err);
        }
        return 0;
}

static int compare_entries(const void *a, const void *b) {
        const Entry *left = a, *right = b;

        return left->id < right->id ? -1 : left->id > right->id;
}

static int read_list(const Reading *reading, const char *name, CeilingScope scope, List *list,
                     Error *err) {
        const cJSON *object = json_get(reading->json, name), *item;
        char at[64];

        if (cJSON_GetArraySize(object) > CEILING_ENTRIES_MAX) {
                (void) snprintf(at, sizeof at, "/%s", name);
                return wrong(reading, at, "holds more than 4096 entries", err);
        }
        list->items = calloc((size_t) cJSON_GetArraySize(object) + 1, sizeof(Entry));
        if (!list->items)
                return error_set(err, -ENOMEM, "read " CEILINGS_NAME);
        cJSON_ArrayForEach(item, object) {
                Entry *entry = &list->items[list->n];
                unsigned long long id = strtoull(item->string, NULL, 10);
                int r;

                (void) snprintf(at, sizeof at, "/%s/%s", name, item->string);
                if (id >= UINT32_MAX)
                        return wrong(reading, at, "is no id: ids end at 4294967294", err);
                *entry = (Entry){ .scope = scope, .id = (uint32_t) id };
                r = read_entry(reading, at, entry, err);
                if (r < 0)
                        return r;
                list->n++;
        }
        qsort(list->items, list->n, sizeof(Entry), compare_entries);
        return 0;
}

static int read_host(const Reading *reading, Said *host, Error *err) {
        const struct {
                const char *pointer;
                ValueKind kind;
                uint64_t *to;
        } members[] = {
                { "/host/jails", VALUE_NUMBER, &host->jails },
                { "/host/reserve", VALUE_SIZE, &host->reserve },
                { "/host/memory", VALUE_SHARE, &host->memory_permille },
                { "/host/pressure/memory", VALUE_SHARE, &host->pressure[0] },
                { "/host/pressure/io", VALUE_SHARE, &host->pressure[1] },
                { "/host/pressure/cpu", VALUE_SHARE, &host->pressure[2] },
                { "/host/queue/length", VALUE_NUMBER, &host->queue },
                { "/host/queue/per_user", VALUE_NUMBER, &host->queue_per_uid },
                { "/host/queue/wait", VALUE_DURATION, &host->wait_usec },
        };
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < ELEMENTS(members); i++) {
                *members[i].to = CEILING_NONE;
                r = read_value(reading, members[i].pointer, members[i].kind, members[i].to, err);
        }
        return r;
}

Ceilings *ceilings_free(Ceilings *ceilings) {
        if (!ceilings)
                return NULL;
        free(ceilings->users.items);
        free(ceilings->groups.items);
        free(ceilings);
        return NULL;
}
DEFINE_SCOPED(Ceilings *, ceilings_free);

/* Is it the name of a user's or group's entry that is wrong. */
static bool is_key(const char *path) {
        const char *name = strncmp(path, "/users/", 7) == 0    ? path + 7
                           : strncmp(path, "/groups/", 8) == 0 ? path + 8
                                                               : NULL;

        return name && !strchr(name, '/');
}

static int parse(Reading *reading, cJSON **ret, Error *err) {
        static const char schema_text[] = CEILINGS_SCHEMA_JSON;
        SCOPED(json_free) cJSON *schema = NULL;
        SchemaFault fault = { 0 };
        int r;

        r = json_parse(schema_text, sizeof schema_text - 1, JSON_COMMENTS, &schema, err);
        if (r < 0)
                return error_add(err, r, "the schema of " CEILINGS_NAME);
        r = json_parse(reading->text, reading->n, JSON_COMMENTS, ret, err);
        if (r < 0)
                return error_add(err, r, CEILINGS_NAME);
        reading->json = *ret;
        r = schema_check(schema, reading->json, &fault);
        if (r < 0 && is_key(fault.path) && strncmp(fault.text, "must match", 10) == 0)
                return wrong(reading, fault.path,
                             "write the number, as `id -u NAME` or `getent group NAME` tell it",
                             err);
        if (r < 0)
                return wrong(reading, fault.path, fault.text, err);
        return 0;
}

int ceilings_new(const char *text, size_t n, Ceilings **ret, Error *err) {
        SCOPED(ceilings_free) Ceilings *ceilings = calloc(1, sizeof *ceilings);
        SCOPED(json_free) cJSON *json = NULL;
        Reading reading = { text, n, NULL };
        int r;

        if (!ceilings)
                return error_set(err, -ENOMEM, "read " CEILINGS_NAME);
        r = parse(&reading, &json, err);
        ceilings->common.scope = CEILING_DEFAULT;
        if (r >= 0)
                r = read_entry(&reading, "/default", &ceilings->common, err);
        if (r >= 0)
                r = read_list(&reading, "users", CEILING_USER, &ceilings->users, err);
        if (r >= 0)
                r = read_list(&reading, "groups", CEILING_GROUP, &ceilings->groups, err);
        if (r >= 0)
                r = read_host(&reading, &ceilings->host, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(ceilings);
        return 0;
}

/* ---- what holds ---------------------------------------------------------------------------------- */

/* The limits of one jail are the policy's; what one user has together is finite without any file. */
static void built_in(const FrontInfo *info, Ceiling *ret) {
        for (unsigned i = 0; i < _CEILING_FIELD_MAX; i++)
                ret->items[i] = (CeilingValue){ .value = CEILING_NONE };
        ret->items[QUOTA_JAILS].value = 32;
        ret->items[QUOTA_MEMORY].value = info->memory_total * 2;
        ret->items[QUOTA_PIDS].value = info->pids_total / 2;
        ret->items[QUOTA_CPU].value = info->cpus * 1000ull * 16;
        ret->items[QUOTA_DISK].value = info->memory_total * 2;
        ret->items[QUOTA_TASKS].value = 16;
        ret->items[QUOTA_CREATES].value = 600;
        ret->items[QUOTA_SNAPSHOTS].value = 64;
        ret->items[QUOTA_SNAPSHOT_DISK].value = 64 * GIB;
        ret->items[QUOTA_WORKSPACES].value = 16;
        ret->items[QUOTA_WORKSPACE_DISK].value = 64 * GIB;
}

static void take_over(const Entry *entry, Ceiling *ceiling, bool generous) {
        for (unsigned i = 0; i < _CEILING_FIELD_MAX; i++) {
                CeilingValue *item = &ceiling->items[i];

                if (entry->values[i] == CEILING_NONE)
                        continue;
                if (generous && item->scope == CEILING_GROUP && item->value >= entry->values[i])
                        continue;
                *item = (CeilingValue){ entry->values[i], entry->scope, entry->id,
                                        entry->lines[i] };
        }
}

static const Entry *find(const List *list, uint32_t id) {
        const Entry key = { .id = id };

        return list->n ? bsearch(&key, list->items, list->n, sizeof key, compare_entries) : NULL;
}

void ceilings_of(const Ceilings *ceilings, const FrontInfo *info, const CeilingWho *who,
                 Ceiling *ret) {
        bool bounded = who->uid != 0 && !info->private_call;
        const Entry *entry;

        built_in(info, ret);
        if (!bounded)
                for (unsigned i = 0; i < _CEILING_FIELD_MAX; i++)
                        ret->items[i].value = CEILING_NONE;
        if (!ceilings || info->private_call)
                return;
        if (bounded)
                take_over(&ceilings->common, ret, false);
        for (unsigned i = 0; bounded && i < who->n_gids; i++)
                if ((entry = find(&ceilings->groups, who->gids[i])))
                        take_over(entry, ret, true);
        entry = find(&ceilings->users, who->uid);
        if (entry)
                take_over(entry, ret, false);
}

static uint64_t or_else(uint64_t said, uint64_t otherwise) {
        return said == CEILING_NONE ? otherwise : said;
}

/* Most jails never use what they may: the sum of limits may be four times the memory that there is. What
 * they do use is watched by the reserve and by pressure of memory. None of io and cpu: "some" counts whoever
 * waits, so that one small jail can bring it to 100% and keep all other users out. */
void ceilings_host(const Ceilings *ceilings, const FrontInfo *info, HostRules *ret) {
        static const uint64_t pressure[3] = { 200, 0, 0 };
        uint64_t reserve = info->memory_total / 16 < GIB ? info->memory_total / 16 : GIB;
        Said said;

        *ret = (HostRules){ 0 };
        if (info->private_call)
                return;
        memset(&said, 0xff, sizeof said);
        if (ceilings)
                said = ceilings->host;
        ret->jails = or_else(said.jails, 1024);
        ret->reserve = or_else(said.reserve, reserve);
        if (info->memory_total > ret->reserve)
                ret->memory = (info->memory_total - ret->reserve) / 1000 *
                              or_else(said.memory_permille, 4000);
        for (unsigned i = 0; i < ELEMENTS(pressure); i++)
                ret->pressure[i] = (uint32_t) or_else(said.pressure[i], pressure[i]) / 10;
        ret->queue = or_else(said.queue, 128);
        ret->queue_per_uid = or_else(said.queue_per_uid, 32);
        ret->wait_usec = or_else(said.wait_usec, 60ull * 1000000);
}

/* ---- for messages -------------------------------------------------------------------------------- */

const CeilingValue *ceiling_get(const Ceiling *ceiling, const char *object, const char *name) {
        for (unsigned i = 0; i < _CEILING_FIELD_MAX; i++)
                if (strcmp(rows[i].object, object) == 0 && strcmp(rows[i].name, name) == 0)
                        return &ceiling->items[i];
        return NULL;
}

const char *ceiling_source(const CeilingValue *value, char *text) {
        const char *scope = value->scope == CEILING_GROUP ? "groups" : "users";

        if (value->scope == CEILING_BUILT_IN)
                (void) snprintf(text, CEILING_SOURCE_MAX, "built in");
        else if (value->scope == CEILING_DEFAULT)
                (void) snprintf(text, CEILING_SOURCE_MAX, CEILINGS_NAME ":%u, default",
                                value->line);
        else
                (void) snprintf(text, CEILING_SOURCE_MAX, CEILINGS_NAME ":%u, %s.%u", value->line,
                                scope, value->id);
        return text;
}

const char *ceiling_field_name(CeilingField field) {
        return field < _CEILING_FIELD_MAX ? rows[field].both : "?";
}
