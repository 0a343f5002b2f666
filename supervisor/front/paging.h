#pragma once
/*
 * paging: results that are told a page at a time, since a line of the protocol holds 1 MiB. A result has parts, each a
 * list in an order that does not change; a page takes of them what fits, part after part, and names in "next"
 * where it stopped: that is the "cursor" of the request for the page after it.
 *
 *   paging_begin() -> for each part: paging_from(), rows behind it, paging_push_consume() until it says no
 *                  -> paging_end()
 */
#include "base/ids.h"
#include "base/json.h"

#define PAGE_BYTES_MAX (256u << 10) /* of all of a page, but for an entry that is alone on it */
#define PAGE_ITEMS_MAX 200u

typedef struct PagePlace { /* of an entry in its part; not has_place: before the first one */
        char part;
        bool has_place;
        int64_t number;
        char id[ID_MAX]; /* where several may have one number */
} PagePlace;

typedef struct Paging {
        const char *parts; /* borrowed: a letter each, in their order */
        PagePlace at;      /* of the last entry that was taken, on this page or an earlier one */
        size_t bytes;
        unsigned left;
        bool is_first; /* page of all */
        bool is_full;
} Paging;

typedef struct PageList { /* a part of a page, and where it goes; all borrowed */
        Paging *paging;
        char part;
        cJSON *list;
} PageList;

/**
 * paging_begin() - of a request
 * @parts:  letters
 * @params: may have "cursor" and "limit", as the shape Page of protocol/shapes.json has them
 *
 * Returns: 0; -EINVAL with a sentence: a cursor that is of another list.
 */
int paging_begin(Paging *paging, const char *parts, const cJSON *params, Error *err);
/** paging_takes() - @bytes of the page are taken by something else */
void paging_takes(Paging *paging, size_t bytes);
/** paging_from() - where @part begins on this page. Returns: may there be something of it; then @ret is set */
bool paging_from(const Paging *paging, char part, PagePlace *ret);
/**
 * paging_push_consume() - one more entry, in the order of its part
 * @item:  NULL: there was no memory for it
 * @bytes: that were read for it, where that is more than it is long: who lists must not be made to read much more
 *
 * Returns: is it on the page; else it is freed, the page is full, and @place comes first on the next one.
 */
bool paging_push_consume(Paging *paging, cJSON *list, cJSON *item, const PagePlace *place,
                         size_t bytes);
/** paging_end() - "next" of @result, where there is more */
void paging_end(const Paging *paging, cJSON *result);
