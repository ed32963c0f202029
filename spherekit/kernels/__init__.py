"""Compiled kernels of the transforms, and the architecture of the hot path.

This package contains the numerical building blocks that all transforms share: SIMD vectors, the Wigner
recursion, fast Fourier transforms, matrix products and transposes. It has no Python API. The following
sections describe how a call reaches these kernels, which data they exchange, and which rules they follow.

**Terms**

Lanes
    The elements of a SIMD vector. Kernels use an explicit vector type (`simd`) with ordinary operators:
    ``load``, ``spread`` (broadcast one number to all lanes), ``a * z + b``, ``store``. In the recursion the
    lanes are rings. A *block* of rings is one vector, either of 8 lanes (narrow) or of as many lanes as the
    registers can hold (wide). In other kernels the lanes are degrees, orders, samples of a ring, or the maps
    of a batch.
Planes
    The Fourier coefficients on the rings, ``planes[map, slot of the order m, real or imaginary part, ring]``.
    They are the intermediate result between the two halves of a transform: the Legendre step (sums over
    degrees or over rings, at fixed m) and the FFT along phi (all m of one ring). The northern rings come
    first, then the southern ones, because one recursion serves a ring and its mirror image.
Forms of the recursion
    Three ways to advance in the degree l, for one order m and one n = -spin (`wigner_recursion`): by two
    degrees in the variable sin^2(theta) or cos^2(theta) (n = 0); by one degree in y = 1 - cos(theta) (any n);
    and by differences of neighboring degrees (any n), which is accurate near a pole. L and the angle of the
    ring nearest to the pole determine the form that a block uses. Orders that are negligible on a block are
    skipped, and so are the first degrees of an order while they are negligible.
Plan
    The data that a transform needs for one grid and one band-limit (`harmonic.plan`): the rings that the
    Legendre step visits, their weights, and, where these are not the rings of the grid (MW, MWSS, coarse
    CC), the tables of the resampling in theta. Plans are cached by grid and L.

**The path of one call**, ``spherekit.inverse(flm, L)``

1. `harmonic.transform` validates the arguments, once.
2. `harmonic.dispatch` selects the engine, once for each `Problem`, the frozen set of arguments.
3. `harmonic.engines.recursion` allocates work memory and starts the threads.
4. `harmonic.steps.legendre_scalar` takes orders from the work queue, four at a time. For each order it
   obtains the coefficients of the recursion and loops over the blocks of rings.
5. `kernels.wigner_recursion` sums over the degrees of one order on one block: ``seed``,
   ``skip_negligible``, ``synthesize``.

Steps 1 to 3 are Python. Steps 4 and 5 are compiled, and receive arrays, pointers and numbers only. Other
problems differ in the modules that they pass through:

- spin: `harmonic.steps.legendre_spin`;
- FFTs along phi: `harmonic.steps.phi_fft`, `harmonic.steps.phi_fft_healpix`, and `fft`;
- small band-limits and batches: the engines `precomputed` (tables and `matmul`) and `batched` (one map per
  lane);
- GPU arrays: `harmonic.engines.cuda` and `wigner_recursion_cuda`.

Each step is defined together with its transpose, and ``forward`` is the transpose of ``inverse`` with other
weights. Every work item writes to its own part of the output, so results are bitwise independent of the
number of threads.

**Modules**

- `simd`: the vector type and its operations. `transpose`: loads and stores that transpose rows in registers.
  `simd_numpy`: the same operations in NumPy, to run the kernels without LLVM, in a debugger or under coverage
  (``SPHEREKIT_SIMD=numpy``); this is slow, and the results agree up to rounding.
- `complex_simd`: vectors of complex numbers, for the FFT.
- `work_queue`: the atomic counter that distributes work items to threads.
- `address_calls`: calls of kernels that are compiled once, apart from their callers.
- `recursion_coefficients`: the coefficients of all forms, cached up to L = 1024 (256 where |n| > 4).
- `wigner_recursion`: the recursion: norms, starting values, sums over degrees and, transposed, over the rings
  of a block.
- `wigner_recursion_cuda`: the same steps with one CUDA thread per ring.
- `packing`: conversion between coefficients ``flm[l*l + l + m]`` and rows over the degree, four orders at a
  time.
- `matmul`: products with precomputed tables.
- `fft_butterflies`, `fft`: radix stages, and transforms of any length with rings as lanes. Each stage is
  compiled for a type of lanes when a length first needs it, and called by its address.

The loops that call these kernels are compiled as well, in the modules that they serve: `harmonic.steps`, the
kernels of the engines, `wigner.d_matrices` (all d^l at one angle), `wigner.functions` (columns d^l_mn),
`wigner.rotation_kernels` (d^l(pi/2) applied to signals) and `experiments.gaussianity.caps`.

**Compilation and caching** (`_core.jit`, `_core.compiler`, `_core.kernel_cache`)

- ``jit`` compiles at the first call, without the GIL, with NumPy's division semantics, and with fused
  multiply-add as the only relaxation of rounding. ``leaf`` is the variant for functions that create no arrays
  and therefore need no reference counting.
- A kernel that kernels call is compiled without what only Python would need, and a kernel that Python calls
  includes those that it calls. This takes about half the time of ``numba.njit``, which replaces it in
  versions of Numba that were not tested (or with ``SPHEREKIT_COMPILER=njit``).
- Machine code is cached on disk (``SPHEREKIT_CACHE``), in a folder named after a hash of *all* files that
  contain kernels. Consequently, an edit of one of these files recompiles every kernel.
- An array as an argument is seven values, which each call unpacks and repacks; this was half of the code to
  compile. Kernels that kernels call therefore take pointers (``simd.pointer``), and groups of numbers or
  pointers in a NamedTuple. A pointer does not keep its array alive: Python code allocates the work memory
  (`_core.workspace.scratch`) and passes it.
- An argument that is None selects a variant at compile time: Numba drops the branches behind ``x is not
  None``. The difference form is thus compiled only for grids that have rings near a pole.
- Kernels avoid NumPy functions, slices and broadcasting, which compile Numba's array library: loops instead.
- Kernels do not allocate in inner loops, do not depend on grids, and raise no exceptions: they return
  statistics of the input (NaN, symmetry defect, magnitude), which Python code turns into errors.

**Adding a recursion**

Define its step as a scalar function in plain operators beside ``step`` and ``difference_step``, which SIMD
vectors and CUDA threads share. Put its coefficients into `recursion_coefficients`, and its loops (skip
negligible degrees, sum over degrees, the transpose) into `wigner_recursion`, as a new form. Then let
`harmonic.steps.ring_lanes` assign blocks to the form, and call it in the two Legendre steps. Tests compare it
with the definition in plain loops, and its transpose with the recursion itself.
"""
