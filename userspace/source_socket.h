/* SPDX-License-Identifier: GPL-2.0 */
/* What the source "socket" found it can observe; see source.h for the source itself. */
#ifndef SHK_SOURCE_SOCKET_H
#define SHK_SOURCE_SOCKET_H

#include "socket_programs.h"
#include "source.h"

/* Valid until the source is closed. What could be attached is known after start. */
const struct shk_socket_programs *shk_source_socket_programs(const struct shk_source *s);

#endif /* SHK_SOURCE_SOCKET_H */
