/*
 * canonical: see canonical.h. The members of each object of a copy are put in order, then the copy is
 * printed. Objects here are small (a spec, a verdict), and base/json.h bounds their depth.
 */
#include "base/canonical.h"

#include <string.h>

#include "base/owned.h"

/* Insertion sort of the linked children: take the first out, put it where it belongs */
static cJSON *sort_members(cJSON *child) {
        cJSON *sorted = NULL, *last = NULL;

        while (child) {
                cJSON *next = child->next, **at = &sorted;

                while (*at && strcmp((*at)->string, child->string) <= 0)
                        at = &(*at)->next;
                child->next = *at;
                *at = child;
                child = next;
        }
        for (cJSON *one = sorted; one; one = one->next) {
                one->prev = last;
                last = one;
        }
        if (sorted)
                sorted->prev = last; /* cJSON keeps the last one there */
        return sorted;
}

static void sort_all(cJSON *json) {
        cJSON *child;

        if (cJSON_IsObject(json))
                json->child = sort_members(json->child);
        cJSON_ArrayForEach(child, json) sort_all(child);
}

char *canonical_text(const cJSON *json) {
        SCOPED(json_free) cJSON *copy = cJSON_Duplicate(json, true);

        if (!copy)
                return NULL;
        sort_all(copy);
        return json_print(copy);
}

int canonical_digest(const cJSON *json, uint8_t *ret_value) {
        autofree char *text = canonical_text(json);

        if (!text)
                return -ENOMEM;
        digest_of(text, strlen(text), ret_value);
        return 0;
}
