/*
 * upstream: see upstream.h.
 */
#include "supervisor/egress/upstream.h"

#include <stdio.h>

#define ANTHROPIC_VERSION "2023-06-01" /* of a client that names none */

static void fill_headers(Upstream *upstream, const Route *route, const RequestHead *head) {
        TransferSpec *spec = &upstream->spec;
        unsigned n = 0;

        if (!request_is_messages(head->target)) {
                spec->headers[0] = route->authorization;
                return;
        }
        (void) snprintf(upstream->version, sizeof(upstream->version), "anthropic-version: %s",
                        head->version[0] ? head->version : ANTHROPIC_VERSION);
        spec->headers[n++] = upstream->version;
        if (head->beta[0]) {
                (void) snprintf(upstream->beta, sizeof(upstream->beta), "anthropic-beta: %s",
                                head->beta);
                spec->headers[n++] = upstream->beta;
        }
        spec->headers[n] = route->api_key;
}

void upstream_fill(Upstream *upstream, const Route *route, const RequestHead *head,
                   const Buf *body) {
        RequestTarget target = head->target;

        upstream->spec = (TransferSpec){ .url = upstream->url,
                                         .bytes_max = route->bytes_max,
                                         .costs = request_generates(target),
                                         .grows = target == REQUEST_MESSAGES,
                                         .echoes = target == REQUEST_RESPONSES };
        (void) snprintf(upstream->url, sizeof(upstream->url), "%s%s", route->base_url, head->path);
        fill_headers(upstream, route, head);
        if (request_has_body(target)) {
                upstream->spec.body = body->data;
                upstream->spec.n_body = body->len;
        }
}
