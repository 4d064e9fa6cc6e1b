/*
 * The table's insert, as in assembly/insert.ts, among everything else that changes an entry:
 * overwrite, delete, eviction, a cleaner that moves an item, and merge. One key, PLACES entries of
 * its chain, items that are pending, live or dead, one version floor.
 *
 * Checked: at most one live entry of the key; versions of local writes only grow, through removals
 * too; every write takes effect exactly once, at the hands of whichever thread.
 *
 * An entry is item * 2 + tentative. Item 0 is none. Each thread has ITEMS items and runs OPS
 * operations, chosen among set and delete and, when defined, EVICT, MOVE and MERGE. With BLIND a set
 * may also insert without having looked, as a key that was seen to be absent long ago.
 *
 * Mutants that must fail:
 *   NOFLOOR       a removal does not raise the floor
 *   NOFLOORCHECK  an insert does not look at the floor again before it commits
 *   NORULE        of two pending items the earlier one does not win
 *   NORIVAL       a live entry of the key does not abort an insert
 *   MERGEFLOOR    a write over a merged item does not look at the floor
 */
#ifndef THREADS
#define THREADS 2
#endif
#ifndef OPS
#define OPS 2
#endif
#ifndef ITEMS
#define ITEMS 6
#endif
#define PLACES 3
#define NI (THREADS * ITEMS + 1)
#define PENDING 1
#define LIVE 2
#define DEAD 3
#define SET 0
#define DELETE 1
#define EVICTION 2
#define MOVING 3
#define MERGING 4

byte slot[PLACES];
byte state[NI];
byte version[NI];
byte owner[NI];
bool merged[NI];
byte floor_;
/* The highest version a local write or a delete has had. */
byte last;
byte commits[THREADS];

/* An item came to stand in the table; within atomic. */
inline enter(x) {
  if
  :: merged[x] -> skip
  :: else -> assert(version[x] > last); last = version[x]
  fi;
  commits[owner[x]]++
}

/* Within atomic. */
inline check_one() {
  n = 0; j = 0;
  do
  :: j < PLACES ->
     if :: slot[j] != 0 && state[slot[j] / 2] == LIVE -> n++ :: else fi;
     j++
  :: else -> break
  od;
  assert(n <= 1);
  n = 0; j = 0
}

inline raise_floor(v) {
#ifndef NOFLOOR
  atomic { if :: floor_ < v -> floor_ = v :: else fi }
#else
  skip
#endif
}

inline abort_item(x) {
  atomic { if :: state[x] == PENDING -> state[x] = DEAD :: else fi }
}

/* Finds the key's entry: found, w, id. Clears dead tentative entries on the way. */
inline look_up() {
  i = 0; found = 0; w = 0; id = 0; s = 0;
  do
  :: i < PLACES && !found ->
     atomic { w = slot[i] };
     if
     :: w == 0 -> i++
     :: w != 0 && (w % 2) == 0 -> id = w / 2; found = 1
     :: else ->
        id = w / 2;
        atomic { s = state[id] };
        if
        :: s == LIVE -> found = 1
        :: s == DEAD -> atomic { if :: slot[i] == w -> slot[i] = 0 :: else fi }; i++
        :: else -> i++
        fi
     fi
  :: else -> break
  od
}

inline take_item(v, st, mg) {
  used++;
  x = t * ITEMS + used;
  owner[x] = t; version[x] = v; state[x] = st; merged[x] = mg
}

inline choose() {
  if
  :: op = SET
  :: op = DELETE
#ifdef EVICT
  :: op = EVICTION
#endif
#ifdef MOVE
  :: op = MOVING
#endif
#ifdef MERGE
  :: op = MERGING; mergeVersion = 2
  :: op = MERGING; mergeVersion = 4
#endif
  fi
}

proctype thread_of(byte t) {
  byte used, x, at, cur, curAt, i, w, id, s, f, v, n, j, op, found, before, ops, mergeVersion;
#ifdef BLIND
  bool looked;
#endif
next:
  if :: ops == OPS -> goto end :: else fi;
  ops++; before = commits[t]; x = 0;
  choose();
#ifdef BLIND
  looked = false;
#endif
again:
  if :: used == ITEMS -> goto end :: else fi;
#ifdef BLIND
  if
  :: op == SET && !looked -> looked = true; goto insert
  :: looked = true
  fi;
#endif
  look_up();
  if
  :: op == MERGING && found && version[id] >= mergeVersion -> goto next
  :: (op == DELETE || op == EVICTION || op == MOVING) && !found -> goto next
  :: (op == DELETE || op == EVICTION) && found -> goto remove
  :: op == MOVING && found -> goto move
  :: else ->
     if :: found -> goto overwrite :: else -> goto insert fi
  fi;

remove:
  atomic { f = floor_ };
  v = version[id];
  if
  :: op == DELETE ->
#ifndef MERGEFLOOR
     if :: merged[id] && f > v -> v = f :: else fi;
#endif
     v++
  :: else
  fi;
  raise_floor(v);
  atomic {
    if
    :: slot[i] == w ->
       slot[i] = 0;
       if :: op == DELETE -> assert(v > last); last = v :: else fi;
       f = 0; v = 0;
       goto next
    :: else
    fi
  };
  goto again;

move:
  atomic { take_item(version[id], LIVE, merged[id]) };
  if
  :: (w % 2) == 1 -> atomic { if :: slot[i] == w -> slot[i] = w - 1; w = w - 1 :: else fi }
  :: else
  fi;
  atomic {
    if
    :: (w % 2) == 0 && slot[i] == w -> slot[i] = x * 2; check_one()
    :: else -> state[x] = 0; used--
    fi;
    x = 0
  };
  goto next;

overwrite:
  atomic { f = floor_ };
  v = version[id];
#ifndef MERGEFLOOR
  if :: merged[id] && f > v -> v = f :: else fi;
#endif
  if
  :: op == MERGING -> atomic { take_item(mergeVersion, LIVE, true) }
  :: else -> atomic { take_item(v + 1, LIVE, false) }
  fi;
  atomic {
    if
    :: slot[i] == w ->
       slot[i] = x * 2; enter(x); check_one();
       assert(commits[t] == before + 1);
       f = 0; v = 0;
       goto next
    :: else -> state[x] = 0; used--; x = 0
    fi
  };
  goto again;

insert:
  atomic { f = floor_ };
  if
  :: op == MERGING -> atomic { take_item(mergeVersion, PENDING, true) }
  :: else -> atomic { take_item(f + 1, PENDING, false) }
  fi;
  f = 0; at = 0;
  do
  :: at < PLACES ->
     atomic { if :: slot[at] == 0 -> slot[at] = x * 2 + 1; break :: else -> at++ fi }
  :: else -> goto end
  od;
  cur = x; curAt = at;

resolve:
  atomic { s = state[cur] };
  if :: s != PENDING -> goto resolved :: else fi;
  i = 0;
  do
  :: i < PLACES && i == curAt -> i++
  :: i < PLACES && i != curAt ->
     atomic { w = slot[i] };
     if
     :: w == 0 -> i++
#ifndef NORIVAL
     :: w != 0 && (w % 2) == 0 -> abort_item(cur); goto resolved
#else
     :: w != 0 && (w % 2) == 0 -> i++
#endif
     :: else ->
        id = w / 2;
        atomic { s = state[id] };
        if
        :: s == DEAD -> atomic { if :: slot[i] == w -> slot[i] = 0 :: else fi }; i++
        :: s == LIVE -> abort_item(cur); goto resolved
        :: s == PENDING && i < curAt ->
#ifndef NORULE
           abort_item(cur);
           cur = id; curAt = i;
           goto resolve
#else
           i++
#endif
        :: else ->
           atomic { if :: state[id] == PENDING -> state[id] = DEAD; i++ :: else -> goto resolve fi }
        fi
     fi
  :: else -> break
  od;
#ifndef NOFLOORCHECK
  atomic { f = floor_ };
  if
  :: !merged[cur] && f >= version[cur] -> f = 0; abort_item(cur); goto resolved
  :: else
  fi;
  f = 0;
#endif
  atomic { if :: state[cur] == PENDING -> state[cur] = LIVE; enter(cur); check_one() :: else fi };
  atomic { s = state[cur] };
  if
  :: s == LIVE -> atomic { if :: slot[curAt] == cur * 2 + 1 -> slot[curAt] = cur * 2 :: else fi }
  :: else
  fi;

resolved:
  atomic { s = state[x] };
  if
  :: s == LIVE ->
     atomic { if :: slot[at] == x * 2 + 1 -> slot[at] = x * 2 :: else fi };
     assert(commits[t] == before + 1);
     goto next
  :: s == DEAD ->
     atomic { if :: slot[at] == x * 2 + 1 -> slot[at] = 0 :: else fi };
     assert(commits[t] == before);
     goto again
  :: else -> cur = x; curAt = at; goto resolve
  fi;
end:
  skip
}

init {
  atomic {
    byte k = 0;
    do :: k < THREADS -> run thread_of(k); k++ :: else -> break od
  }
}
