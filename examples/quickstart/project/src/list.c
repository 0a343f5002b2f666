/*
 * list: a list that knows both ends.
 */
#include "shelf.h"

void list_add_first(List *list, Link *link) {
        link->before = NULL;
        link->after = list->first;
        if (list->first)
                list->first->before = link;
        else
                list->last = link;
        list->first = link;
        list->n++;
}

void list_remove(List *list, Link *link) {
        if (link->before)
                link->before->after = link->after;
        else
                list->first = link->after;
        if (link->after)
                link->after->before = link->before;
        else
                list->last = link->before;
        link->before = link->after = NULL;
        list->n--;
}

void list_move_first(List *list, Link *link) {
        list_remove(list, link);
        list_add_first(list, link);
}
