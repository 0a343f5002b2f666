#pragma once
/*
 * links: a list that a thing leaves in a time that does not grow with the list. The thing has two members: NEXT, the
 * thing after it, and AT, the pointer that points to it (the list's head, or its neighbour's NEXT); NULL: in no list.
 */

/** LINK_IN() - THING becomes the first of the list HEAD; it must be in none */
#define LINK_IN(HEAD, THING, NEXT, AT)                      \
        do {                                                \
                __typeof__(THING) link_in = (THING);        \
                link_in->NEXT = (HEAD);                     \
                link_in->AT = &(HEAD);                      \
                if (link_in->NEXT)                          \
                        link_in->NEXT->AT = &link_in->NEXT; \
                (HEAD) = link_in;                           \
        } while (0)

/** LINK_OUT() - THING leaves its list; one that is in none is fine */
#define LINK_OUT(THING, NEXT, AT)                          \
        do {                                               \
                __typeof__(THING) link_out = (THING);      \
                if (link_out->AT)                          \
                        *link_out->AT = link_out->NEXT;    \
                if (link_out->AT && link_out->NEXT)        \
                        link_out->NEXT->AT = link_out->AT; \
                link_out->AT = NULL;                       \
        } while (0)
