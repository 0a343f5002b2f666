#pragma once
/*
 * turns: who may make a jail now, and who waits because the host is full. Asked before the first jail of a
 * request; what that request goes on to make does not wait, so that what has begun can end.
 *
 * The host is full where its rules (HostRules, "host" of ceilings.json) say so: too many jails, their
 * memory limits too large together, too little memory available, or pressure. Then a create waits: in the
 * line of its user, the lines one after the other, so that a user with many waits behind one with few.
 * While somebody waits nobody passes, unless those that do not fit have held up others for long (hold.h).
 *
 * One other thing is waited for: what the host still holds of this very user's jails that are being ended
 * (quota_is_held()). Nobody else waits for that.
 */
#include "supervisor/front/calls.h"

typedef struct Turn Turn;

/** TurnFn - once, from the loop; @err NULL: go on now, before returning; else refused, and call_refuse() was called */
typedef void (*TurnFn)(const Error *err, void *userdata);

#define TURN_E_WAITS 1

/** turns_new() - nobody waits */
int turns_new(Front *front, Turns **ret, Error *err);
/** turns_free() - who still waits is forgotten; NULL is fine. Returns: NULL */
Turns *turns_free(Turns *turns);
/** turns_waiting() - how many wait */
unsigned turns_waiting(const Turns *turns);
/** turns_touch() - something has ended: there may be room */
void turns_touch(Turns *turns);

/**
 * turn_has_room() - could one more jail of a request that has begun be made now without anybody waiting for it
 *
 * For what a request makes side by side to be quicker: neither the user's quota nor the host may be full, and nobody
 * may be waiting.
 */
bool turn_has_room(Front *front, uint32_t uid, const PlanLimits *limits);

typedef struct TurnSpec {
        Call *call;               /* who asks; its owner answers it */
        const PlanLimits *limits; /* of the jail that is to be made; borrowed until @go */
        TurnFn go;
        void *userdata;
        unsigned n; /* so many of them, all at once; 0: one */
} TurnSpec;

/**
 * turn_take() - may the caller make a jail now, or several like it
 *
 * One who waits is told by the notification `jail.waiting`, and goes with its connection.
 *
 * Returns: 0: go on; TURN_E_WAITS: spec->go will be called; -ETIMEDOUT: refused, and call_refuse() was called;
 * another negative errno.
 */
int turn_take(Front *front, const TurnSpec *spec, Error *err);
/** turn_cancel() - the turn that @call waits for is not wanted any more; its @go is not called. Returns: did it wait */
bool turn_cancel(Turns *turns, const Call *call);
