#pragma once
/*
 * notary-link: what the front asks of its notary, and hears. Where there is none (a front in a test, a key
 * that cannot be read), receipts are made and not signed, and say so.
 */
#include "supervisor/front/front.h"
#include "supervisor/front/gate/notary.h"

/** NotaryFn - once; @envelope (borrowed): the signed statement; NULL with @err, or where it was a sync */
typedef void (*NotaryFn)(const Statement *statement, const char *envelope, const Error *err,
                         void *userdata);

/** notary_link_new() - @fd is consumed; negative: there is none */
int notary_link_new(Front *front, int fd, Notary **ret, Error *err);
/** notary_link_free() - what is under way is not answered any more; NULL is fine. Returns: NULL */
Notary *notary_link_free(Notary *notary);

/** notary_key() - "sha256:…", borrowed; NULL: there is no notary, or it has not said yet; @notary may be NULL here and below */
const char *notary_key(const Notary *notary);
/** notary_pem() - the public key, borrowed; NULL likewise */
const char *notary_pem(const Notary *notary);
/** notary_fault() - why there is none, or why the last head was not signed; "" where all is well */
const char *notary_fault(const Notary *notary);
/** notary_is_there() - can it be asked */
bool notary_is_there(const Notary *notary);
/** notary_is_busy() - is something under way */
bool notary_is_busy(const Notary *notary);

/** notary_sign() - @statement is copied. Returns: 0 and @done will be called; negative errno */
int notary_sign(Notary *notary, const Statement *statement, NotaryFn done, void *userdata,
                Error *err);
/** notary_sync() - @done when all that was asked before has been answered. Returns: likewise */
int notary_sync(Notary *notary, NotaryFn done, void *userdata, Error *err);
