/*
 * events: lines for programs. A line is written whole and flushed, so that a reader sees it at once.
 */
#include "cli/events.h"

#include <stdio.h>

#include "base/units.h"

void events_result(const cJSON *json) {
        autofree char *line = json_print(json);

        if (!line)
                return;
        puts(line);
        (void) fflush(stdout);
}

void events_print(const char *name, cJSON *event) {
        SCOPED(json_free) cJSON *whole = cJSON_CreateObject();
        char time[UNITS_TEXT_MAX];
        cJSON *item;

        json_add_text(whole, "event", name);
        json_add_text(whole, "time", units_format_time(units_now(), time));
        while (event && (item = event->child)) {
                cJSON_DetachItemViaPointer(event, item);
                if (json_get(whole, item->string))
                        cJSON_Delete(item);
                else
                        cJSON_AddItemToObject(whole, item->string, item);
        }
        (void) json_free(event);
        events_result(whole);
}
