"""Regions: "set S in group G holds N numbers attached to miniApp M with locale L", surveyed, planned and verified.

``spec`` says what is wanted, ``survey`` reads what is there, ``planning`` decides without touching anything, ``plan``
is the decision as a document, ``page`` shows it to a person, ``register`` keeps plans in the data root, and ``checks``
compares a plan with the world before it is applied and after. ``declared`` reads the regions that files declare, and
``drift`` reports how all of them stand.
"""
