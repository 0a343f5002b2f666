#pragma once
/*
 * upstream: the request that goes out for one that came in. Nothing of what the client sent goes out but its body, as
 * the route allows it (body.h), and two headers of Anthropic's.
 */
#include "base/buf.h"
#include "supervisor/egress/request.h"
#include "supervisor/egress/route.h"
#include "supervisor/egress/transfer.h"

typedef struct Upstream {
        char url[EGRESS_URL_MAX + 64];
        char version[REQUEST_VALUE_MAX + 32], beta[REQUEST_VALUE_MAX + 32];
        TransferSpec
                spec; /* points into this and what it was made from; events and userdata are left */
} Upstream;

/** upstream_fill() - @body: as it goes out; not looked at for a GET. All is borrowed until the transfer is freed */
void upstream_fill(Upstream *upstream, const Route *route, const RequestHead *head,
                   const Buf *body);
