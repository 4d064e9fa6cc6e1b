/*
 * Reclamation by epochs, as in assembly/epoch.ts.
 *
 * One entry of the table and CELLS pieces of memory. Each lane reads through the entry or puts
 * another cell in its place; the old cell is unlinked, stamped, and taken again once it is safe.
 * Taking a cell starts a new life of it, which is what writing over its bytes is.
 *
 * Checked: while a lane is announced, a cell it read from the entry stays in the life it had then.
 * Assumed: atomic accesses are sequentially consistent, as WebAssembly's are.
 *
 * Mutants that must fail:
 *   LATE   a reader looks at the entry before it announces
 *   EQUAL  a stamp that equals the least announced epoch counts as safe
 *   EARLY  the epoch is moved on before the cell is unlinked
 */
#ifndef LANES
#define LANES 2
#endif
#ifndef OPS
#define OPS 2
#endif
#define CELLS 3
#define UNPINNED 0
#define FREE 0
#define LINKED 1
#define RETIRED 2

byte epoch = 1;
byte announced[LANES];
byte entry = 1;
byte state[CELLS + 1];
byte stamp[CELLS + 1];
byte life[CELLS + 1];

/* Two steps, as in pin(): the epoch may move on in between. */
inline pin() {
  atomic { seen = epoch };
  atomic { announced[me] = seen }
}

inline unpin() {
  atomic { announced[me] = UNPINNED }
}

/* Reads every lane on its own, as safeBefore() does. */
inline find_safe() {
  atomic { safe = epoch; n = 0 };
  do
  :: n < LANES ->
     atomic {
       if
       :: announced[n] != UNPINNED && announced[n] < safe -> safe = announced[n]
       :: else
       fi;
       n++
     }
  :: else -> break
  od
}

#ifdef EQUAL
#define IS_SAFE(c) (stamp[c] <= safe)
#else
#define IS_SAFE(c) (stamp[c] < safe)
#endif

/* Claims a free cell, or leaves cell = 0. */
inline take_cell() {
  cell = 0; c = 1;
  do
  :: c <= CELLS && cell == 0 ->
     atomic {
       if
       :: state[c] == FREE || (state[c] == RETIRED && IS_SAFE(c)) ->
          state[c] = LINKED; life[c]++; cell = c
       :: else
       fi;
       c++
     }
  :: else -> break
  od
}

inline read_through() {
#ifdef LATE
  atomic { cell = entry; was = life[cell] };
  pin();
#else
  pin();
  atomic { cell = entry; was = life[cell] };
#endif
  assert(life[cell] == was);
  skip;
  assert(life[cell] == was);
  unpin()
}

inline put_another() {
  pin();
  find_safe();
  take_cell();
  if
  :: cell == 0 -> skip
  :: else ->
     atomic { old = entry };
#ifdef EARLY
     atomic { seen = epoch; epoch++ };
#endif
     atomic {
       if
       :: entry == old -> entry = cell; swapped = true
       :: else -> state[cell] = FREE; swapped = false
       fi
     };
     if
     :: swapped ->
#ifndef EARLY
        atomic { seen = epoch; epoch++ };
#endif
        atomic { stamp[old] = seen; state[old] = RETIRED }
     :: else
     fi
  fi;
  unpin()
}

proctype lane_of(byte me) {
  byte seen, safe, n, c, cell, old, was, ops;
  bool swapped;
  do
  :: ops == OPS -> break
  :: ops < OPS -> ops++; if :: read_through() :: put_another() fi
  od
}

init {
  atomic {
    byte k = 0;
    state[1] = LINKED;
    do :: k < LANES -> run lane_of(k); k++ :: else -> break od
  }
}
