#pragma once
/*
 * front-link: the SEQPACKET to the front: routes are opened and closed on its word, and it hears of every
 * call. What the front sends is checked like anything else; a message of the wrong form ends egress.
 */
#include "supervisor/egress/multi.h"

typedef struct FrontLink FrontLink;

/** front_link_new() - over @fd (borrowed). Returns: 0 or negative errno */
int front_link_new(int fd, sd_event *event, Multi *multi, FrontLink **ret_link, Error *err);
/** front_link_free() - close all routes, wipe their keys. Returns: NULL */
FrontLink *front_link_free(FrontLink *link);
DEFINE_SCOPED(FrontLink *, front_link_free);
