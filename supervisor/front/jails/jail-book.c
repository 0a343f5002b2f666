/*
 * jail-book: see jail-book.h.
 */
#include "supervisor/front/jails/jail-book.h"

#include "supervisor/front/jails/jail-log.h"
#include "supervisor/front/jails/jails.h"

static const char *const end_names[] = {
        [JAIL_END_BY_ITSELF] = "by_itself",       [JAIL_END_DESTROYED] = "destroyed",
        [JAIL_END_STOPPED] = "stopped",           [JAIL_END_CLIENT_GONE] = "client_gone",
        [JAIL_END_COMMAND_DONE] = "command_done", [JAIL_END_WALL_TIMEOUT] = "wall_timeout",
        [JAIL_END_INIT_FAILED] = "init_failed",   [JAIL_END_NOT_MADE] = "not_made",
};
_Static_assert(ELEMENTS(end_names) == _JAIL_END_MAX, "a name for each end");

const char *jail_end_name(JailEnd end) {
        return (unsigned) end < _JAIL_END_MAX ? end_names[end] : "unknown";
}

int jail_book_new(uint64_t number, JailBook **ret) {
        JailBook *book = calloc(1, sizeof *book);

        if (!book)
                return -ENOMEM;
        book->number = number;
        *ret = book;
        return 0;
}

JailBook *jail_book_free(JailBook *book) {
        if (!book)
                return NULL;
        jail_still_deinit(&book->still);
        book->log = jail_log_leave(book->log);
        free(book->end_text);
        free(book);
        return NULL;
}

void jail_book_started(FrontJail *jail, const char *command) {
        const JailEvent event = { .kind = JAIL_EVENT_COMMAND_START, .command = command };

        front_jail_book(jail)->counts.started++;
        jail_log_tell(jail, &event);
}

static void count(JailCounts *counts, const CommandEnd *end) {
        counts->ended++;
        for (unsigned i = 0; i < _HIT_MAX; i++)
                counts->hits[i] += (end->hits & BIT(i)) != 0;
        for (unsigned i = 0; i < ELEMENTS(end->seen); i++) {
                counts->output_seen += end->seen[i];
                counts->output_kept += end->kept[i];
        }
        counts->io_read += end->io_read;
        counts->io_written += end->io_written;
}

void jail_book_ended(FrontJail *jail, const char *command, const CommandEnd *end) {
        JailEvent event = { .kind = JAIL_EVENT_LIMIT, .command = command };

        count(&front_jail_book(jail)->counts, end);
        for (unsigned i = 0; i < _HIT_MAX; i++) {
                if (!(end->hits & BIT(i)))
                        continue;
                event.limit = i;
                jail_log_tell(jail, &event);
        }
        event = (JailEvent){ .kind = JAIL_EVENT_COMMAND_END,
                             .command = command,
                             .cause = end->cause,
                             .code = end->code,
                             .signal = end->signal,
                             .wall_usec = end->wall_usec };
        jail_log_tell(jail, &event);
}

void jail_book_set_end(FrontJail *jail, JailEnd end) {
        JailBook *book = front_jail_book(jail);

        if (book->end == JAIL_END_BY_ITSELF)
                book->end = end;
}
