/*
 * paging: see paging.h.
 */
#include "supervisor/front/paging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURSOR_MAX (ID_MAX + 24)

/* "t", "t17", "t17.t-7f3kq2m4ab"; the pattern of the schema holds */
static void read_place(const char *text, PagePlace *ret) {
        PagePlace place = { .part = text[0], .has_place = text[1] != 0 };
        char *end = NULL;

        if (place.has_place) {
                place.number = strtoll(text + 1, &end, 10);
                if (*end == '.')
                        (void) snprintf(place.id, sizeof(place.id), "%s", end + 1);
        }
        *ret = place;
}

int paging_begin(Paging *paging, const char *parts, const cJSON *params, Error *err) {
        const char *cursor = json_text(params, "cursor");
        uint64_t limit = PAGE_ITEMS_MAX;

        *paging = (Paging){ .parts = parts, .at = { .part = parts[0] }, .is_first = !cursor };
        (void) json_number(params, "limit", &limit);
        paging->left = (unsigned) limit;
        if (cursor)
                read_place(cursor, &paging->at);
        if (!strchr(parts, paging->at.part))
                return error_say(err, -EINVAL,
                                 "the cursor \"%s\" is of another list: take \"next\" of the page "
                                 "before",
                                 cursor);
        return 0;
}

void paging_takes(Paging *paging, size_t bytes) {
        paging->bytes += bytes;
}

bool paging_from(const Paging *paging, char part, PagePlace *ret) {
        const char *wanted = strchr(paging->parts, part),
                   *at = strchr(paging->parts, paging->at.part);

        if (paging->is_full || !wanted || wanted < at)
                return false;
        *ret = wanted == at ? paging->at : (PagePlace){ .part = part };
        return true;
}

static size_t length(const cJSON *item) {
        autofree char *text = item ? json_print(item) : NULL;

        return text ? strlen(text) : 0;
}

bool paging_push_consume(Paging *paging, cJSON *list, cJSON *item, const PagePlace *place,
                         size_t bytes) {
        size_t own = length(item), n = own > bytes ? own : bytes;
        bool fits = paging->left > 0 && (paging->bytes == 0 || paging->bytes + n <= PAGE_BYTES_MAX);

        if (!fits)
                item = json_free(item);
        if (!json_push_consume(list, item)) {
                paging->is_full = true;
                if (paging->at.part != place->part)
                        paging->at = (PagePlace){ .part = place->part };
                return false;
        }
        paging->bytes += n;
        paging->left--;
        paging->at = *place;
        return true;
}

void paging_end(const Paging *paging, cJSON *result) {
        const PagePlace *at = &paging->at;
        char text[CURSOR_MAX];

        if (!paging->is_full)
                return;
        if (at->has_place)
                (void) snprintf(text, sizeof(text), "%c%lld%s%s", at->part, (long long) at->number,
                                at->id[0] ? "." : "", at->id);
        else
                (void) snprintf(text, sizeof(text), "%c", at->part);
        json_add_text(result, "next", text);
}
