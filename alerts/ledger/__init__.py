"""The ledger (台账): cases from 登记 to 销号, each with an owner, a rule and a deadline. It sends nothing itself."""
