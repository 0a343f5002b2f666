#pragma once
/*
 * monitor-link: requests to the monitor and their replies, by cookie.
 */
#include "supervisor/front/front.h"

/** MonitorReplyFn - once per request; @fds are owned by the receiver, those it leaves >= 0 are closed after */
typedef void (*MonitorReplyFn)(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata);

/** monitor_link_new() - over FRONT_FD_MONITOR; when it ends, so does the front */
int monitor_link_new(Front *front, int fd, Monitor **ret, Error *err);
/** monitor_is_gone() - it has ended, and everything with it, though the loop may not have heard of it yet */
bool monitor_is_gone(const Monitor *monitor);
/** monitor_link_free() - replies that are still to come go nowhere. Returns: NULL */
Monitor *monitor_link_free(Monitor *monitor);

/** monitor_send() - any Request struct, head.cookie is filled here. Returns: 0 and @done will be called */
int monitor_send(Monitor *monitor, void *request, size_t size, const int *fds, unsigned n_fds,
                 MonitorReplyFn done, void *userdata, Error *err);
/**
 * monitor_refusal() - what a reply that is no success says, for who asked the front
 *
 * What the monitor does not find, or finds in its way, is a state of ours that is broken: no client has named it, and
 * to a client -ENOENT and -EEXIST would say that of what it has named. They become -EIO here, and their words stay.
 *
 * Returns: that code.
 */
int monitor_refusal(const MonitorReply *reply, Error *err);
/** monitor_handle() - JAIL_DESTROY, LAYER_DROP, UPPER_DROP; @done may be NULL */
int monitor_handle(Monitor *monitor, RequestKind kind, uint64_t handle, MonitorReplyFn done,
                   void *userdata, Error *err);
/** monitor_layer() - LAYER_NEW, COMMIT, DROP, REMOVE, HAVE, UPPER_DROP in one call; @done may be NULL */
int monitor_layer(Monitor *monitor, RequestKind kind, uint64_t handle, const uint8_t *digest,
                  MonitorReplyFn done, void *userdata, Error *err);
