/*
 * jail-event: see jail-event.h.
 */
#include "supervisor/front/jails/jail-event.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "supervisor/front/jails/jails.h"

static char *keep_texts(const char *one, const char *two) {
        size_t n = strlen(one) + 1, m = strlen(two) + 1;
        char *texts = malloc(n + m);

        if (!texts)
                return NULL;
        memcpy(texts, one, n);
        memcpy(texts + n, two, m);
        return texts;
}

void kept_event_init(KeptEvent *item, const FrontJail *jail, const JailEvent *event) {
        *item = (KeptEvent){ .event = *event,
                             .usec = units_now(),
                             .owner_uid = front_jail_owner(jail) };
        (void) snprintf(item->jail, sizeof item->jail, "%s", front_jail_id(jail));
        (void) snprintf(item->command, sizeof item->command, "%s",
                        event->command ? event->command : "");
        if (event->snapshot || event->text)
                item->texts = keep_texts(event->snapshot ? event->snapshot : event->text,
                                         event->policy ? event->policy : "");
}

void kept_event_deinit(KeptEvent *item) {
        free(item->texts);
        item->texts = NULL;
}

static void add_created(cJSON *data, const KeptEvent *item) {
        const char *texts = item->texts ? item->texts : "\0";

        json_add_text(data, "snapshot", texts);
        json_add_text(data, "policy", texts + strlen(texts) + 1);
        json_add_bool(data, "keep", item->event.keep);
}

static void add_command(cJSON *data, const KeptEvent *item) {
        json_add_text(data, "command", item->command);
}

static void add_command_end(cJSON *data, const KeptEvent *item) {
        const JailEvent *event = &item->event;
        bool started = event->cause != CAUSE_NOT_STARTED;

        add_command(data, item);
        json_add_text(data, "cause", cause_name(event->cause));
        json_add_consume(data, "code",
                         started ? cJSON_CreateNumber(event->code) : cJSON_CreateNull());
        json_add_consume(data, "signal",
                         event->signal ? cJSON_CreateNumber(event->signal) : cJSON_CreateNull());
        json_add_number(data, "wall_usec", event->wall_usec);
}

static void add_limit(cJSON *data, const KeptEvent *item) {
        json_add_text(data, "limit", hit_name(item->event.limit));
        json_add_text(data, "command", item->command[0] ? item->command : NULL);
}

static void add_end(cJSON *data, const KeptEvent *item) {
        json_add_text(data, "cause", jail_end_name(item->event.end));
        if (item->event.end == JAIL_END_NOT_MADE)
                json_add_text(data, "text", item->texts ? item->texts : "");
}

#define MEMBERS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The page warder-events(7) has the same rows: tests/lint/events.t compares. */
static const struct {
        const char *name;
        const char *const *members;
        void (*add)(cJSON *data, const KeptEvent *item); /* NULL: it has none */
} rows[_JAIL_EVENT_KIND_MAX] = {
        [JAIL_EVENT_CREATED] = { "jail.created", MEMBERS("snapshot", "policy", "keep"),
                                 add_created },
        [JAIL_EVENT_READY] = { "jail.ready", MEMBERS(NULL), NULL },
        [JAIL_EVENT_COMMAND_START] = { "command.start", MEMBERS("command"), add_command },
        [JAIL_EVENT_COMMAND_END] = { "command.end",
                                     MEMBERS("command", "cause", "code", "signal", "wall_usec"),
                                     add_command_end },
        [JAIL_EVENT_LIMIT] = { "limit", MEMBERS("limit", "command"), add_limit },
        [JAIL_EVENT_FROZEN] = { "jail.frozen", MEMBERS(NULL), NULL },
        [JAIL_EVENT_THAWED] = { "jail.thawed", MEMBERS(NULL), NULL },
        [JAIL_EVENT_ENDED] = { "jail.ended", MEMBERS("cause", "text"), add_end },
};

cJSON *kept_event_json(const KeptEvent *item, uint64_t seq) {
        cJSON *json = cJSON_CreateObject(), *data;
        char time[UNITS_TEXT_MAX];

        json_add_number(json, "seq", seq);
        json_add_text(json, "time", units_format_time(item->usec, time));
        json_add_text(json, "jail", item->jail);
        json_add_number(json, "owner_uid", item->owner_uid);
        json_add_text(json, "event", rows[item->event.kind].name);
        data = json_add_object(json, "data");
        if (rows[item->event.kind].add)
                rows[item->event.kind].add(data, item);
        return json;
}
