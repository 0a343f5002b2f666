/*
 * events: lines for programs. A line is written whole and flushed, so that a reader sees it at once.
 */
#include "cli/events.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/units.h"

static bool is_read(void) {
        struct pollfd reader = { .fd = STDOUT_FILENO };

        return poll(&reader, 1, 0) <= 0 || !(reader.revents & (POLLERR | POLLHUP));
}

int events_flush(void) {
        if (fflush(stdout) != 0)
                return errno ? -errno : -EIO;
        return !ferror(stdout) ? 0
               : is_read()     ? -EIO
                               : -EPIPE; /* of an earlier write nobody knows why */
}

int events_line(const cJSON *json) {
        autofree char *line = json_print(json);

        if (!line)
                return -ENOMEM;
        if (puts(line) < 0)
                return errno ? -errno : -EIO;
        return events_flush();
}

int events_end(int written, Error *err) {
        return written == 0 || written == -EPIPE ? 0 : error_set(err, written, "write to stdout");
}

void events_result(const cJSON *json) {
        (void) events_line(json);
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
