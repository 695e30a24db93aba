"""Write the mappings of tools that many teams have: selects over the tables in which an ELT tool lands them.

A template is `<vendor>/<flavour>/<table>.sql.j2`; `<vendor>/connector.yaml` says what stands for a company there. What
is written belongs to the team; reading it is up to `cs_pipeline.warehouse.mapping`.
"""
